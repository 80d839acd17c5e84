#!/usr/bin/env node
import { runCommandLine } from './program.ts'

// Whatever this process makes (database, journal, keys) is for its user alone, also in a folder that is open to others.
process.umask(0o077)

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true,
})
