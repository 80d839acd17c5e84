import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { catalogue } from './index.ts'
import { parseProvider } from './load.ts'
import { RecordSchema } from './schema.ts'

const page = readFileSync(new URL('../../../../docs/reference/providers.md', import.meta.url), 'utf8')

/** Every name of a field that the schema knows, however deep. */
function fieldNames(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(fieldNames)
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'properties' ? [...Object.keys(value), ...Object.values(value).flatMap(fieldNames)] : fieldNames(value),
  )
}

test('the reference page names every field of a record', () => {
  const names = [...new Set(fieldNames(RecordSchema))]
  expect(names.length).toBeGreaterThan(70)
  const missing = names.filter((name) => !page.includes(`\`${name}\``))
  expect(missing).toEqual([])
})

const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '')

test.each(examples)('the example is a valid file: %#', (text) => {
  expect(parseProvider(text, 'example.yaml', catalogue).id).not.toBe('')
})

test('there are three examples', () => {
  expect(examples).toHaveLength(3)
})
