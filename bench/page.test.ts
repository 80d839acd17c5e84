import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { filled } from './page.ts'

const pages = ['../docs/reference/benchmarks.md', '../docs/concepts/scale.md'].map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))

test('the pages show the figures of the results files', () => {
  for (const page of pages) {
    expect(page).toContain('<!-- figures: ')
    expect(filled(page), 'run: npm run bench -- page').toBe(page)
  }
})

test('a page that asks for figures that do not exist is refused', () => {
  expect(() => filled('<!-- figures: nothing-of-the-kind -->\n<!-- end -->')).toThrow('no figures called nothing-of-the-kind')
})
