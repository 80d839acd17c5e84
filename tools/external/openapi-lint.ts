import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Check, failed, run, verdictOf } from './verdict.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Limits of what this server sends are not what protects it: these rules count for requests alone. */
const OF_REQUESTS = /api4:2023-(integer-format|integer-limit|string-limit|string-restricted|array-limit)/

/** Rules about the size of texts: a pattern that is anchored and repeats nothing without end says it as well. */
const OF_SIZE = /api4:2023-string-limit/

/** True when no text that fits is longer than the pattern says. Nothing in brackets repeats by itself. */
function boundedBy(pattern: string): boolean {
  const bare = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  return /^\^[^|]*\$$/.test(bare.replace(/\([^()]*\)/g, 'x').replace(/\([^()]*\)/g, 'x')) && !/[*+]|\{\d+,\}/.test(bare)
}

/** Rules that say something that does not hold here, and why. Everything else of the ruleset counts. */
const NOT_HERE: Readonly<Record<string, string>> = {
  'owasp:api4:2023-rate-limit-responses-429': 'every refusal is documented as 4XX: one problem document with a code, 429 among them',
  'owasp:api8:2023-define-error-responses-401': 'the same, for 401',
  'owasp:api8:2023-define-error-responses-500': 'the same, for 5XX',
  'owasp:api8:2023-define-error-validation': 'the same, for 400',
  'owasp:api4:2023-rate-limit': 'limits are told by Retry-After when one is reached, not by headers of every answer',
  'owasp:api5:2023-admin-security-unique': 'what a key or a person may do is decided by scope and role, route by route: docs/security/role-matrix.md',
  'owasp:api2:2023-read-restricted': 'health, metrics and public keys are for everybody; pushes of providers prove themselves by signature',
  'owasp:api2:2023-write-restricted': 'signing in, enrolling, proofs and pushes bring their own credential in the body or by signature',
  'owasp:api2:2023-no-credentials-in-url':
    'a provider that cannot sign its pushes proves itself by the address that it was given: docs/guides/provider-events.md; the log has paths of these without it',
  'owasp:api4:2023-integer-format':
    'every integer says its smallest and its largest, which is more than a format does; a rule of its own counts those that do not',
  'owasp:api4:2023-string-restricted':
    'names, reasons and addresses are texts of people: how long they may be is said of each, and counted by a rule of its own',
  'owasp:api9:2023-inventory-access': 'whoever runs it decides who reaches it; the document names the address that was configured',
  'owasp:api8:2023-no-server-http': 'the address is the one of whoever runs it; outside of loopback it must be https, or the server does not start',
}

function patternAt(document: unknown, path: readonly string[]): string {
  const found = path.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined), document)
  const pattern: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'pattern') : undefined
  return typeof pattern === 'string' ? pattern : ''
}

interface Finding {
  readonly code: string
  readonly severity: number
  readonly message: string
  readonly path: readonly string[]
}

export const spectral: Check = {
  name: 'spectral',
  what: 'Spectral with the OWASP API Security ruleset finds no error in the OpenAPI document',
  run: async (stage) => {
    const { openapi } = await stage()
    const folder = mkdtempSync(join(HERE, '.spectral-'))
    try {
      writeFileSync(
        join(folder, 'ruleset.mjs'),
        "import owasp from '@stoplight/spectral-owasp-ruleset'\nexport default { extends: [owasp.default ?? owasp] }\n",
      )
      writeFileSync(join(folder, 'openapi.json'), JSON.stringify(openapi))
      const args = ['lint', 'openapi.json', '--ruleset', 'ruleset.mjs', '--format', 'json', '--quiet', '--fail-severity', 'error']
      const { out, err } = await run(join(HERE, 'node_modules/.bin/spectral'), args, { cwd: folder, seconds: 240 })
      if (!out.trimStart().startsWith('[')) return failed(`spectral failed: ${(out + err).slice(-800)}`)
      const findings: readonly Finding[] = JSON.parse(out.slice(0, out.lastIndexOf(']') + 1))
      const counts = ({ code, path: at }: Finding): boolean =>
        !(OF_REQUESTS.test(code) && at.includes('responses')) && !(OF_SIZE.test(code) && boundedBy(patternAt(openapi, at)))
      const seen = new Map(findings.filter(counts).map((one) => [`${one.code} ${one.path.join(' ')}`, one]))
      const byRule = Map.groupBy(seen.values(), ({ code }) => code)
      const counted = [...byRule].filter(([code]) => NOT_HERE[code] === undefined)
      const lines = counted.map(
        ([code, list]) => `${code}: ${list.length} times, severity ${list[0]?.severity}, first at ${list[0]?.path.slice(0, 5).join(' ')}: ${list[0]?.message}`,
      )
      return verdictOf(
        lines,
        `${seen.size} findings of ${byRule.size} rules; ${byRule.size - counted.length} of the rules do not hold here, each for a reason that is written down`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
