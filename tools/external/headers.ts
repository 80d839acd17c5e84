import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openFrontDoor } from './front-door.ts'
import type { Stage } from './stage.ts'
import { type Check, failed, passed, run, verdictOf } from './verdict.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** What Mozilla's grade must be: A+ is the best there is. */
const GRADE = 'A+'

const SCAN = `import { scan } from '@mdn/mdn-http-observatory'
const { scan: { grade, score }, tests } = await scan(process.argv[1])
const lines = Object.entries(tests).filter(([, { pass }]) => !pass).map(([name, { result }]) => name + ': ' + result)
console.log(JSON.stringify({ grade, score, lines }))`

/** The list of preloaded domains, which the package fetches when it is installed: ours is on no list. */
function withoutPreloadList(): void {
  const path = join(HERE, 'node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json')
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '{}')
}

export const observatory: Check = {
  name: 'observatory',
  what: `Mozilla's observatory grades the server behind TLS ${GRADE}`,
  run: async (stage) => {
    const { url, frontPort } = await stage()
    withoutPreloadList()
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-front-'))
    const door = await openFrontDoor(url, frontPort, folder)
    try {
      const env = { NODE_EXTRA_CA_CERTS: door.authority }
      const { status, out, err } = await run(process.execPath, ['--input-type=module', '-e', SCAN, `localhost:${frontPort}`], { cwd: HERE, env })
      if (status !== 0) return failed(`the scan failed: ${err.slice(-600)}`)
      const { grade, score, lines } = JSON.parse(out) as { readonly grade: string; readonly score: number; readonly lines: readonly string[] }
      const found = `grade ${grade}, score ${score}${lines.length === 0 ? '' : `; ${lines.join(', ')}`}`
      return grade === GRADE ? passed(found) : failed(found)
    } finally {
      door.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Google's scale: 10 is the worst. From 50 on it asks to look: `script-src 'self'` is as safe as what is served, and nothing that users upload is served as a script. */
const LOOK = 50

export const contentPolicy: Check = {
  name: 'csp',
  what: "Google's CSP evaluator finds nothing in the policy of any page",
  run: async (stage) => {
    const pages = await pagesOf(await stage())
    const evaluate = `import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js'
import { CspParser } from 'csp_evaluator/dist/parser.js'
const policies = JSON.parse(process.argv[1])
console.log(JSON.stringify(policies.map((policy) => new CspEvaluator(new CspParser(policy).csp).evaluate().map(({ severity, directive, value, description }) => ({ severity, directive, value, description })))))`
    const policies = [...new Set(pages.map(({ policy }) => policy))]
    const { status, out, err } = await run(process.execPath, ['--input-type=module', '-e', evaluate, JSON.stringify(policies)], { cwd: HERE })
    if (status !== 0) return failed(`the evaluator failed: ${err.slice(-600)}`)
    const findings = JSON.parse(out) as readonly (readonly { severity: number; directive: string; value?: string; description: string }[])[]
    const complaints = findings.flatMap((list, index) =>
      list
        .filter(({ severity }) => severity < LOOK)
        .map(
          ({ severity, directive, description }) =>
            `${severity} ${directive}: ${description} (${pages.find(({ policy }) => policy === policies[index])?.path})`,
        ),
    )
    const without = pages.filter(({ policy }) => policy === '').map(({ path }) => `${path} has no policy`)
    return verdictOf([...without, ...complaints], `${pages.length} pages, ${policies.length} different policies, nothing worse than a hint to look`)
  },
}

/** Pages that anybody can ask for, and those of a person who is signed in, by following links from the beginnings. */
async function pagesOf({ url, token }: Stage): Promise<readonly { readonly path: string; readonly policy: string }[]> {
  const waiting = [
    '/',
    '/docs/api',
    '/docs/errors',
    '/docs/runbooks',
    '/auth/sign-in',
    '/auth/sign-up',
    '/auth/setup',
    '/me',
    '/device',
    '/connect/none',
    '/nowhere',
  ]
  const found = new Map<string, { readonly path: string; readonly policy: string }>()
  while (waiting.length > 0 && found.size < 200) {
    const path = waiting.shift() ?? ''
    if (found.has(path)) continue
    const answer = await fetch(url + path, { redirect: 'manual', headers: { accept: 'text/html', authorization: `Bearer ${token}` } })
    const text = await answer.text()
    const location = answer.headers.get('location')
    if (location?.startsWith('/')) waiting.push(location.replace(/[?#].*$/, ''))
    found.set(path, { path, policy: answer.headers.get('content-security-policy') ?? '' })
    if (!answer.headers.get('content-type')?.startsWith('text/html')) continue
    for (const [, link = ''] of text.matchAll(/(?:href|action)="(\/[^"#?]*)/g)) if (!found.has(link)) waiting.push(link)
  }
  return [...found.values()]
}
