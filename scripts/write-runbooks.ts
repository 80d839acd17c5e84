// Writes docs/runbooks/ from the tables of runbooks.
import { mkdirSync, writeFileSync } from 'node:fs'
import { RUNBOOKS, runbookIndex, runbookMarkdown } from '../packages/evergrant/src/core/operate/runbook-pages.ts'

const folder = new URL('../docs/runbooks/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('README.md', folder), runbookIndex())
for (const page of RUNBOOKS) writeFileSync(new URL(`${page.id}.md`, folder), runbookMarkdown(page))
