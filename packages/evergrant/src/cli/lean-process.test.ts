import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { leanFlags } from './lean-process.ts'

const GIB = 2 ** 30
const SOURCES = fileURLToPath(new URL('..', import.meta.url))

describe('the memory that a server starts with', () => {
  test('young objects get 8 MiB, old ones a bound that follows the tokens in memory', () => {
    expect(leanFlags('', 20_000, 4 * GIB)).toEqual(['--max-semi-space-size=8', '--max-old-space-size=847'])
    expect(leanFlags('', 0, 4 * GIB)).toEqual(['--max-semi-space-size=8', '--max-old-space-size=768'])
    expect(leanFlags('', 500_000, 4 * GIB)).toEqual(['--max-semi-space-size=8', '--max-old-space-size=2722'])
  })

  test('a size that somebody chose stays, however it is written', () => {
    expect(leanFlags('--max-old-space-size=300', 20_000, 4 * GIB)).toEqual(['--max-semi-space-size=8'])
    expect(leanFlags('--max_old_space_size=300 --max_semi_space_size=4', 20_000, 4 * GIB)).toEqual([])
    expect(leanFlags('--max-old-space-size-percentage=50', 20_000, 4 * GIB)).toEqual(['--max-semi-space-size=8'])
    expect(leanFlags('--max-heap-size=500', 20_000, 4 * GIB)).toEqual(['--max-semi-space-size=8'])
  })

  test('a bound that the machine sets lower is not raised', () => {
    expect(leanFlags('', 20_000, GIB / 4)).toEqual(['--max-semi-space-size=8'])
  })

  test('a process that has these flags is not replaced again', () => {
    expect(leanFlags(leanFlags('', 20_000, 4 * GIB).join(' '), 20_000, GIB)).toEqual([])
  })
})

/** What takes a large part of a start and of memory, for what few nodes ever do. */
const ON_DEMAND = ['nodemailer', 'web-push', '@simplewebauthn/server', 'csv-parse', '@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-http']
/** Loaded by a dynamic import themselves. */
const BEHIND_ONE = ['observability/otlp.ts']

describe('libraries for what few nodes do', () => {
  const sources = globSync('**/*.ts', { cwd: SOURCES }).filter(
    (file) => !file.endsWith('.test.ts') && !file.startsWith('testing/') && !BEHIND_ONE.includes(file),
  )
  const loads = (text: string, library: string) => new RegExp(`^(?:import|export) (?!type\\b)[^';]*? from '${library}'|^} from '${library}'`, 'm').test(text)

  test.each(ON_DEMAND)('%s is loaded when it is needed, not with the server', (library) => {
    expect(sources.filter((file) => loads(readFileSync(`${SOURCES}/${file}`, 'utf8'), library))).toEqual([])
  })

  test('an import that loads is told from one of types', () => {
    expect(
      [`import { a } from 'x'`, `import {\n  a,\n} from 'x'`, `import type { A } from 'x'`, `const { a } = await import('x')`].map((text) => loads(text, 'x')),
    ).toEqual([true, true, false, false])
  })

  test("Node's own fetch comes with every import of node:http, so the server asks for that module in another way", () => {
    const server = sources.filter((file) => !/^(cli|practice)\//.test(file))
    expect(server.filter((file) => loads(readFileSync(`${SOURCES}/${file}`, 'utf8'), 'node:http'))).toEqual([])
  })
})
