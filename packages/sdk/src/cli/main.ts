#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  colours: process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env['NO_COLOR'],
})
