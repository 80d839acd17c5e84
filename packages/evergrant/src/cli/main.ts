#!/usr/bin/env node
import { becomeLean } from './lean-process.ts'

// Whatever this process makes (database, journal, keys) is for its user alone, also in a folder that is open to others.
process.umask(0o077)

// `evergrant ... | head` stops reading early: there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// Who stops reading what is said on the way (`evergrant import ... 2>&1 | less`) stops no work.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const args = process.argv.slice(2)
if (args[0] === 'serve' || args[0] === 'import') becomeLean(args)

// Loaded only by the process that stays.
const { runCommandLine } = await import('./program.ts')
process.exitCode = await runCommandLine(args, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true,
})

// A write that is still being tried would keep a server that has drained alive for ever. What it holds is in the journal, and has been told.
if (args[0] === 'serve') process.exit()
