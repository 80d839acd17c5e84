// What the console downloads: everything that its page needs before it shows something, and what each page adds when somebody goes there.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = fileURLToPath(new URL('../packages/console/dist/', import.meta.url))
const INITIAL_BUDGET = 170_000
const PAGE_BUDGET = 60_000

/** Lines as those of the bundle report: bytes of gzip -9 of JavaScript, with the budget. Empty before the first build. */
export function consoleSizes(folder = dist) {
  if (!existsSync(`${folder}.vite/manifest.json`)) return []
  const manifest = JSON.parse(readFileSync(`${folder}.vite/manifest.json`, 'utf8'))
  const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
  const initial = closure(manifest, entry)
  const pages = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry)
  return [
    { name: 'console, at first', budget: INITIAL_BUDGET, ...sizeOf(folder, manifest, initial) },
    ...pages.map((key) => ({
      name: `console, ${manifest[key].name ?? key}`,
      budget: PAGE_BUDGET,
      ...sizeOf(folder, manifest, new Set([...closure(manifest, key)].filter((part) => !initial.has(part)))),
    })),
  ]
}

function closure(manifest, key, found = new Set()) {
  if (found.has(key)) return found
  found.add(key)
  for (const part of manifest[key].imports ?? []) closure(manifest, part, found)
  return found
}

function sizeOf(folder, manifest, keys) {
  const files = [...keys].map((key) => readFileSync(folder + manifest[key].file))
  return { minified: files.reduce((sum, file) => sum + file.length, 0), compressed: files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0) }
}
