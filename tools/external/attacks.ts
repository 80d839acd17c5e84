import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type JsonSchema, valuesOf } from '../../packages/evergrant/src/testing/schema-values.ts'
import type { Operation, Seen, Stage } from './stage.ts'
import { type Check, isThere, notRun, run, type Verdict, verdictOf } from './verdict.ts'

/** Each program gets this long: EXTERNAL_ATTACK_SECONDS for a longer look. */
const SECONDS = Number(process.env['EXTERNAL_ATTACK_SECONDS'] ?? 150)
const WORDS = '/usr/share/wfuzz/wordlist'

interface Target {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly body: unknown
  /** Places of the URL that are text: `FUZZ` goes there. */
  readonly places: readonly { readonly name: string; readonly url: string }[]
}

/** What runs for ever, or what ends the server's own session or the organization that the others ask about. */
const LEFT_OUT = /console\/stream|sweeps\/\{id\}\/stream|auth\/logout|users\/me$|connections\/import/

/** Every operation as a request that is allowed, with real ids in it. */
function targetsOf({ openapi, url, ids }: Stage): readonly Target[] {
  return Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      if (LEFT_OUT.test(path) || method === 'delete' || method === 'head' || method === 'options') return []
      return [targetOf(path, method, operation, url, ids)]
    }),
  )
}

function targetOf(path: string, method: string, operation: Operation, base: string, ids: Readonly<Record<string, string>>): Target {
  const sample = (schema: JsonSchema): unknown => fc.sample(valuesOf(schema, ids), { seed: 7, numRuns: 1 })[0]
  const { parameters = [], requestBody } = operation
  const worded = (value: unknown): string => encodeURIComponent(String(value).toWellFormed())
  const fill = (changed: string | null): string => {
    const filled = parameters.reduce((text, { name, in: place, schema }) => {
      if (place !== 'path') return text
      const known = ids[/^\^([a-z]+_)/.exec(String((schema as JsonSchema).pattern ?? ''))?.[1] ?? ''] ?? worded(sample(schema as JsonSchema))
      return text.replace(`{${name}}`, name === changed ? 'FUZZ' : known || 'x')
    }, path)
    const query = parameters.filter(({ in: place }) => place === 'query')
    const pairs = query.flatMap(({ name, required, schema }) => {
      if (name === changed) return [`${name}=FUZZ`]
      return required === true ? [`${name}=${worded(sample(schema as JsonSchema))}`] : []
    })
    return `${base}${filled}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`
  }
  const schema = requestBody?.content['application/json']?.schema
  const places = parameters.filter(({ schema: { type } }) => type === 'string' || type === undefined).map(({ name }) => ({ name, url: fill(name) }))
  return {
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    url: fill(null),
    body: schema === undefined ? null : sample(schema as JsonSchema),
    places,
  }
}

/** What the server says about the attack, whatever the attacker says. */
async function judged(stage: Stage, before: Seen, complaints: readonly string[], found: string): Promise<Verdict> {
  const after = await stage.seen()
  const fresh = (list: keyof Pick<Seen, 'broken' | 'leaks' | 'slow'>): readonly string[] => after[list].slice(before[list].length)
  const statuses = Object.entries(after.byStatus)
    .map(([status, count]) => `${status}: ${count - (before.byStatus[status] ?? 0)}`)
    .filter((line) => !line.endsWith(': 0'))
  const answers = after.answers - before.answers
  const silent = answers === 0 ? ['the server was asked nothing'] : []
  return verdictOf([...silent, ...complaints, ...fresh('broken'), ...fresh('leaks'), ...fresh('slow')], `${found}; ${answers} answers (${statuses.join(', ')})`)
}

/** How long is left of what one program may take. */
function budget(): () => number {
  const until = Date.now() + SECONDS * 1_000
  return () => Math.floor((until - Date.now()) / 1_000)
}

const FOUND = /is vulnerable|appears to be .*injectable|sqlmap identified the following injection/

export const sqlmap: Check = {
  name: 'sqlmap',
  what: 'sqlmap finds no injection in any parameter, and the server stays whole',
  run: async (stage) => {
    if (!(await isThere('sqlmap'))) return notRun('sqlmap is not installed (Debian: apt-get install sqlmap)')
    const here = await stage()
    const [before, left] = [await here.seen(), budget()]
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-sqlmap-'))
    const complaints: string[] = []
    let tested = 0
    try {
      const targets = targetsOf(here).filter(({ places, body }) => places.length > 0 || body !== null)
      const marked = targets.flatMap(({ method, places, body }) => places.map((place) => ({ method, url: place.url.replace('FUZZ', 'x*'), body })))
      for (const { method, url, body } of shuffled(marked)) {
        if (left() < 5) break
        const shape = ['-u', url, '--method', method, ...(body === null ? [] : ['--data', JSON.stringify(body)])]
        const headers = ['--headers', `Authorization: Bearer ${here.key}\nContent-Type: application/json`]
        const rules = ['--batch', '--level', '1', '--risk', '1', '--technique', 'BEU', '--flush-session', '--disable-coloring', '--output-dir', folder]
        const quiet = ['--ignore-code', '*', '--timeout', '5', '--retries', '0', '--skip-waf', '--answers', 'quit=N']
        const look = () => run('sqlmap', [...shape, ...headers, ...rules, ...quiet], { seconds: left() })
        const { out, err } = await look()
        if (/testing for SQL injection|does not seem to be injectable|heuristic/.test(out)) tested += 1
        else if (left() > 5) complaints.push(`sqlmap did not test ${url}: ${(out + err).slice(-200)}`)
        // Each refusal has an id of its own, in which sqlmap sees a difference now and then: what is there is there twice.
        if (FOUND.test(out)) {
          const again = (await look()).out
          if (FOUND.test(again)) complaints.push(`sqlmap found something at ${method} ${url}: ${again.split('\n').find((line) => FOUND.test(line))}`)
        }
      }
      return await judged(here, before, complaints, `${tested} of ${marked.length} parameters in ${SECONDS} s`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

export const wfuzz: Check = {
  name: 'wfuzz',
  what: 'wfuzz with its own lists of injections, in every part of every URL: no 500 and nothing of the other organization',
  run: async (stage) => {
    if (!(await isThere('wfuzz')) || !existsSync(WORDS)) return notRun('wfuzz is not installed (Debian: apt-get install wfuzz)')
    const here = await stage()
    const [before, left] = [await here.seen(), budget()]
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-wfuzz-'))
    try {
      const list = join(folder, 'words')
      const words = ['Injections/All_attack.txt', 'Injections/SQL.txt', 'Injections/bad_chars.txt', 'vulns/sql_inj.txt'].flatMap((name) =>
        linesOf(join(WORDS, name)),
      )
      // Ids of the other organization are words, too: a route that answers them with more than 404 is found by what it says.
      writeFileSync(list, [...new Set([...words, ...Object.values(here.shadowIds)])].map((word) => encodeURIComponent(word)).join('\n'))
      const places = targetsOf(here).flatMap(({ method, places: of, body }) => of.map(({ url }) => ({ method, url, body })))
      const complaints: string[] = []
      let reached = 0
      for (const { method, url, body } of shuffled(places)) {
        if (left() < 3) break
        const data = body === null ? [] : ['-d', JSON.stringify(body)]
        const headers = ['-H', `Authorization: Bearer ${here.key}`, '-H', 'Content-Type: application/json']
        const { out, status } = await run(
          'wfuzz',
          ['-w', list, '-X', method, ...headers, ...data, '-t', '8', '--req-delay', '10', '--sc', '500,501', '-o', 'raw', url],
          {
            seconds: Math.min(left(), 60),
          },
        )
        reached += 1
        if (/^\d{5,}:\s/m.test(out)) complaints.push(`${method} ${url}: ${out.split('\n').find((line) => /^\d{5,}:/.test(line))}`)
        if (status === null && left() > 5) complaints.push(`wfuzz did not end at ${method} ${url}`)
      }
      return await judged(here, before, complaints, `${reached} of ${places.length} places with ${linesOf(list).length} words each in ${SECONDS} s`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** What a stranger may find by guessing names. */
const PUBLIC = /^(|health|metrics|docs|auth|me|device|connect|api|console|assets|try|well-known|\.well-known|favicon\.ico|robots\.txt|index\.html)$/i

export const ffuf: Check = {
  name: 'ffuf',
  what: 'ffuf guesses names of paths, and puts attacks into every body: nothing is there that should not be, and no 500',
  run: async (stage) => {
    if (!(await isThere('ffuf')) || !existsSync(WORDS)) return notRun('ffuf is not installed (Debian: apt-get install ffuf wfuzz)')
    const here = await stage()
    const [before, left] = [await here.seen(), budget()]
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-ffuf-'))
    try {
      const complaints: string[] = []
      const found = async (args: readonly string[]): Promise<readonly { readonly input: { readonly FUZZ: string }; readonly status: number }[]> => {
        const out = join(folder, 'found.json')
        rmSync(out, { force: true })
        await run('ffuf', [...args, '-t', '8', '-timeout', '10', '-s', '-o', out, '-of', 'json'], { seconds: Math.max(3, left()) })
        return existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')).results : []
      }
      const names = join(folder, 'names')
      writeFileSync(
        names,
        [...new Set([...linesOf(join(WORDS, 'general/common.txt')), '.git/config', '.env', 'data/keys.json', 'evergrant.db', 'package.json'])].join('\n'),
      )
      for (const { input, status } of await found(['-u', `${here.url}/FUZZ`, '-w', names, '-mc', '200,204,500']))
        if (!PUBLIC.test(input.FUZZ.split('/')[0] ?? '')) complaints.push(`/${input.FUZZ} answers ${status}`)
      const attacks = join(folder, 'attacks')
      writeFileSync(
        attacks,
        ['Injections/SQL.txt', 'Injections/All_attack.txt']
          .flatMap((name) => linesOf(join(WORDS, name)))
          .map((word) => JSON.stringify(word).slice(1, -1))
          .join('\n'),
      )
      const bodies = targetsOf(here).flatMap(({ method, url, body }) => fieldsOf(body).map((text) => ({ method, url, text })))
      let reached = 0
      for (const { method, url, text } of shuffled(bodies)) {
        if (left() < 3) break
        const headers = ['-H', `Authorization: Bearer ${here.key}`, '-H', 'Content-Type: application/json']
        for (const { input, status } of await found(['-u', url, '-X', method, ...headers, '-d', text, '-w', attacks, '-mc', '500,501']))
          complaints.push(`${method} ${url} answers ${status} to ${input.FUZZ}`)
        reached += 1
      }
      return await judged(
        here,
        before,
        complaints,
        `${linesOf(names).length} names, and ${reached} of ${bodies.length} fields of bodies with ${linesOf(attacks).length} attacks each in ${SECONDS} s`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** The body once for each of its texts, with `FUZZ` in its place. */
function fieldsOf(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return []
  return Object.entries(body).flatMap(([name, value]) => (typeof value === 'string' ? [JSON.stringify({ ...body, [name]: 'FUZZ' })] : []))
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '')
}

/** The same order every time, so that a short run and a long one begin alike, and no folder of the API is left to the end. */
function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  const step = 7
  return Array.from({ length: step }, (_, from) => items.filter((_item, index) => index % step === from)).flat()
}
