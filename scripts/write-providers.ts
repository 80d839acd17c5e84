import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { catalogue } from '../packages/evergrant/src/providers/index.ts'
import { providerPage, providersIndex } from '../packages/evergrant/src/providers/page.ts'

const folder = new URL('../docs/providers/', import.meta.url)
mkdirSync(folder, { recursive: true })
const pages = new Map([['README.md', providersIndex(catalogue)], ...catalogue.map((record): [string, string] => [`${record.id}.md`, providerPage(record)])])
for (const [name, text] of pages) writeFileSync(new URL(name, folder), text)
for (const name of readdirSync(folder)) {
  if (name.endsWith('.md') && !pages.has(name)) rmSync(new URL(name, folder))
}
