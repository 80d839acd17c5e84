// What is shipped for running the server, as far as it can be judged by reading it. `npm run check:deploy` runs it with the real tools.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { CONFIG_KEYS } from '../packages/evergrant/src/config-keys.ts'
import { faultsOfRelease, notesOf, partsMissing } from '../scripts/check-release.mjs'
import { valuesCheck } from '../scripts/deploy/chart.mjs'
import { faultsOfCompose } from '../scripts/deploy/compose.mjs'
import { contextOf, faultsOfDockerfile, ignoreRules, isSent } from '../scripts/deploy/dockerfile.mjs'
import { ofThisRun } from '../scripts/deploy/nginx.mjs'
import { isAllowed, runtimePackages } from '../scripts/licences.mjs'

const ROOT = new URL('../', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

test('the Dockerfile keeps what is promised of it', () => {
  expect(faultsOfDockerfile(read('Dockerfile'))).toEqual([])
})

test.each([
  ['USER 10001:10001\n', '', 'runs as root'],
  ['RUN ["npm", "ci", "--ignore-scripts"', 'RUN ["npm", "install"', 'npm install may change'],
  ['"--ignore-scripts", "--no-audit", "--no-fund"]\nCOPY tsconfig', '"--no-audit"]\nCOPY tsconfig', 'install scripts of packages run as root'],
  ['COPY packages/sdk packages/sdk', 'COPY . .', 'copies everything'],
  ['CMD ["serve"]', 'CMD serve', 'needs a shell'],
  ['STOPSIGNAL SIGTERM\n', '', 'how it is stopped'],
  ['ENV NODE_ENV=production', 'ENV EVERGRANT_MASTER_KEYS=k1:x NODE_ENV=production', 'a secret would stand in the image'],
  ['node:24.21.0-bookworm-slim\n\nFROM', 'node:latest\n\nFROM', 'neither a full version nor a digest'],
])('a Dockerfile with %j in it is refused once that is %j', (sound, broken, words) => {
  const text = read('Dockerfile')
  expect(text).toContain(sound)
  expect(faultsOfDockerfile(text.replace(sound, broken)).join('; ')).toContain(words)
})

test('a builder gets the sources of the server, and neither data nor keys nor tests', () => {
  const sent = contextOf(ROOT)
  for (const path of ['package-lock.json', 'packages/evergrant/src/cli/main.ts', 'packages/console/index.html', 'packages/lab/package.json'])
    expect(sent).toContain(path)
  expect(sent.filter((path) => /\.test\.tsx?$|node_modules|(^|\/)data\/|\.db$|keys\.json$|^packages\/lab\/src/.test(path))).toEqual([])
  expect(sent.filter((path) => !/^(LICENSE$|package(-lock)?\.json$|tsconfig|scripts\/build-(console|server)\.mjs$|packages\/)/.test(path))).toEqual([])
  const rules = ignoreRules('*\n!packages\n**/data\n!packages/a/data/kept')
  expect(['README.md', 'packages/a/b.ts', 'packages/a/data/evergrant.db', 'packages/a/data/kept'].map((path) => isSent(path, rules))).toEqual([
    false,
    true,
    false,
    true,
  ])
})

test('compose.yaml keeps what is promised of it', () => {
  expect(faultsOfCompose(read('compose.yaml'))).toEqual([])
})

test.each([
  ['stop_grace_period: 100s', 'stop_grace_period: 10s', 'killed before it has drained'],
  ['    read_only: true\n    cap_drop', '    cap_drop', 'can be written'],
  ['EVERGRANT_DATABASE_URL_FILE: /run/secrets/database_url', 'EVERGRANT_DATABASE_URL: postgres://a:b@c/d', 'stands in clear'],
  ['      - /data\n', '      - data:/data\n', 'the data folder is shared'],
  ['{ condition: service_healthy }\n    # Ready', '{ condition: service_started }\n    # Ready', 'does not wait for the database'],
  ['EVERGRANT_LISTEN:-127.0.0.1:8080', 'EVERGRANT_LISTEN:-0.0.0.0:8080', 'open to the whole network'],
  ['networks: [outside]', 'networks: [inside, outside]', 'does not believe its proxy'],
  ['subnet: 172.30.44.0/24', 'subnet: 172.30.45.0/24', 'does not believe its proxy'],
  ['networks: [outside]', 'networks: [inside]', 'is reached by more than the server'],
])('compose.yaml with %j in it is refused once that is %j', (sound, broken, words) => {
  const text = read('compose.yaml')
  expect(text).toContain(sound)
  expect(faultsOfCompose(text.replace(sound, broken)).join('; ')).toContain(words)
})

test('the values of the chart fit their schema, and a misspelt or a wrong one does not', () => {
  const check = valuesCheck(ROOT)
  for (const name of readdirSync(join(ROOT, 'deploy/helm/evergrant/ci')))
    expect([name, check(parse(read(`deploy/helm/evergrant/ci/${name}`)))]).toEqual([name, []])
  for (const wrong of [{ publicUrl: 'http://a.example' }, { replica: 2 }, { database: { kind: 'mysql' } }, { config: { EVERGRANT_HISTORY_DAYS: 30 } }])
    expect(check(wrong)).not.toEqual([])
})

test('each pod is scraped once: the monitor asks for what one of the two services alone is called', () => {
  const template = (name: string): string => read(`deploy/helm/evergrant/templates/${name}.yaml`)
  const asked = /^ +(app\.kubernetes\.io\/component: \w+)$/m.exec(template('servicemonitor'))?.[1] ?? 'nothing'
  const labels = template('service')
    .split('\n---\n')
    .map((service) => service.split('\nspec:\n')[0] ?? '')
  expect(labels.map((text) => text.includes(asked))).toEqual([false, true])
})

test('a port of the public address is none of the name that an ingress listens for', () => {
  const names = read('deploy/helm/evergrant/templates/ingress.yaml').match(/\$url\.host\w*/g)
  expect(names).toEqual(['$url.hostname', '$url.hostname'])
})

test('what is shipped for nginx is read by nginx without a right of root: no port and no folder of the system', () => {
  for (const name of ['evergrant.conf', 'compose.conf', 'below-path.conf']) {
    const text = ofThisRun(read(`deploy/nginx/${name}`), { folder: '/run-1', port: 40_123 })
    const ports = [...text.matchAll(/^ *listen (\d+)/gm)].map((found) => found[1])
    expect([name, new Set(ports).size <= 1, ports.every((port) => port === '40123'), text.includes('/etc/')]).toEqual([name, true, true, false])
  }
  expect(ofThisRun(read('deploy/nginx/evergrant.conf'), { folder: '/run-1', port: 40_123 })).toContain('listen 40123 ssl')
})

test('the proxy of compose.yaml believes the gateway of its network about who calls, where a proxy with TLS comes from, and nobody else', () => {
  const [network] = parse(read('compose.yaml')).networks.outside.ipam.config
  const believed = [...read('deploy/nginx/compose.conf').matchAll(/^ *set_real_ip_from (\S+);/gm)].map((found) => found[1])
  expect(believed).toEqual([network.gateway])
  expect(read('deploy/nginx/compose.conf')).toContain('real_ip_header X-Forwarded-For;')
})

test('every key that a shipped file sets is one that the server knows', () => {
  const known = new Set<string>(CONFIG_KEYS.flatMap(({ name }) => [name, `${name}_FILE`]))
  const files = [
    'Dockerfile',
    'compose.yaml',
    'deploy/systemd/evergrant.service',
    'deploy/systemd/evergrant.env',
    'deploy/helm/evergrant/templates/statefulset.yaml',
  ]
  const own = new Set(['EVERGRANT_LISTEN', 'EVERGRANT_IMAGE', 'EVERGRANT_USER'])
  for (const file of files)
    for (const [name] of read(file).matchAll(/\bEVERGRANT_[A-Z_]+[A-Z]\b/g)) expect([file, name, known.has(name) || own.has(name)]).toEqual([file, name, true])
})

test('every secret of the configuration can be mounted by the chart', () => {
  const helpers = read('deploy/helm/evergrant/templates/_helpers.tpl')
  for (const { name, secret } of CONFIG_KEYS)
    if (secret) expect([name, helpers.includes(`"${name}_FILE"`) && helpers.includes(`"${name}"`)]).toEqual([name, true])
})

test('proxies pass streams through, and each of their files is read', () => {
  for (const file of ['evergrant-proxy.conf', 'compose.conf'])
    for (const line of ['proxy_buffering off;', 'proxy_request_buffering off;', 'X-Forwarded-For $remote_addr'])
      expect(read(`deploy/nginx/${file}`)).toContain(line)
  const { http } = parse(read('deploy/traefik/evergrant.yml'))
  expect(http.middlewares.below.stripPrefix.prefixes).toEqual(['/evergrant'])
})

test('workflows ask for no more than they need, and publish with provenance', () => {
  const release = parse(read('.github/workflows/release.yml'))
  for (const name of readdirSync(join(ROOT, '.github/workflows')))
    expect([name, parse(read(`.github/workflows/${name}`)).permissions]).toEqual([name, { contents: 'read' }])
  expect(release.jobs.packages.permissions['id-token']).toBe('write')
  const published = release.jobs.packages.steps.map(({ run = '' }: { readonly run?: string }) => run).filter((run: string) => run.startsWith('npm publish'))
  expect(published.map((run: string) => run.includes('--provenance'))).toEqual([true, true])
  // npm refuses a pre-release without a tag, at the very end; as `latest` everybody would get it.
  expect(published.map((run: string) => run.includes('--tag "$NPM_TAG"'))).toEqual([true, true])
  const early = "contains(github.ref_name, '-')"
  expect(Object.entries<string>(release.jobs.packages.env).map(([name, value]) => [name, value.slice(4, -3)])).toEqual([
    ['IS_EARLY', early],
    ['NPM_TAG', `${early} && 'next' || 'latest'`],
  ])
})

/** What the steps of a workflow name and is not here: scripts, files, the parts of a check, drills, and variables that no file of theirs reads. */
function missingIn(workflow: string): readonly string[] {
  interface Step {
    readonly run?: string
    readonly env?: Readonly<Record<string, string>>
  }
  interface Job {
    readonly steps: readonly Step[]
    readonly strategy?: { readonly matrix?: { readonly drill?: readonly string[] } }
  }
  const { scripts } = JSON.parse(read('package.json'))
  const jobs: readonly Job[] = Object.values(parse(workflow).jobs)
  const drills = jobs.flatMap(({ strategy }) => strategy?.matrix?.drill ?? []).map((drill) => `packages/lab/src/drills/${drill.split(' ')[0]}.ts`)
  const steps = jobs.flatMap((job) => job.steps)
  const paths = (text: string): readonly string[] => text.match(/(?<![\w/.-])(?:\.ci|scripts|tests|deploy)\/[\w./-]+/g) ?? []
  const named = [...drills, ...steps.flatMap(({ run = '' }) => paths(run))]
  const parts = steps.flatMap(({ run = '' }) => /^npm run check:deploy -- ([a-z ]+)$/.exec(run)?.[1]?.split(' ') ?? [])
  const known = /const PARTS = \{([\s\S]*?)\n\}/.exec(read('scripts/check-deploy.mjs'))?.[1] ?? ''
  return [
    ...steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name)).filter((name) => scripts[name] === undefined),
    ...named.filter((path) => !existsSync(join(ROOT, path))),
    ...parts.filter((part) => !new RegExp(`^  ${part}\\b`, 'm').test(known)),
    ...steps
      .filter(({ run = '' }) => run.startsWith('npm test -- '))
      .flatMap(({ run = '', env = {} }) => {
        const text = paths(run)
          .filter((path) => existsSync(join(ROOT, path)))
          .map(read)
          .join()
        return Object.keys(env).filter((name) => !text.includes(`process.env['${name}']`))
      }),
  ]
}

test('what a workflow names is there: scripts, files, parts, drills and variables', () => {
  for (const name of readdirSync(join(ROOT, '.github/workflows'))) expect([name, missingIn(read(`.github/workflows/${name}`))]).toEqual([name, []])
})

test.each([
  ['night', 'kill-nine.test.ts', 'kill-ten.test.ts', ['tests/e2e/kill-ten.test.ts', 'KILL_ROUNDS']],
  ['night', 'KILL_ROUNDS', 'ROUNDS_OF_KILLS', ['ROUNDS_OF_KILLS']],
  ['regular', 'drill: [restore', 'drill: [restoring', ['packages/lab/src/drills/restoring.ts']],
  ['regular', 'npm run drill', 'npm run drills', ['drills']],
  ['release', 'scripts/make-release.mjs', 'scripts/release.mjs', ['scripts/release.mjs']],
  ['ci', 'chart systemd', 'charts systemd', ['charts']],
])('%s.yml with %j as %j is found', (name, sound, broken, missing) => {
  const text = read(`.github/workflows/${name}.yml`)
  expect(text).toContain(sound)
  expect(missingIn(text.replaceAll(sound, broken))).toEqual(missing)
})

/** What the workflows and the bot that updates do not promise any more of what comes from others, and of the drills. */
function faultsOfCare({ regular, release, updates }: Readonly<Record<'regular' | 'release' | 'updates', string>>): readonly string[] {
  const { on, jobs } = parse(regular)
  const crons: readonly string[] = (on.schedule ?? []).map(({ cron }: { readonly cron: string }) => cron)
  const [week, month] = [crons.find((cron) => /^\d+ \d+ \* \* \d$/.test(cron)), crons.find((cron) => /^\d+ \d+ \d+ \* \*$/.test(cron))]
  const runs = (job: { readonly steps?: readonly { readonly run?: string }[] } = {}) => (job.steps ?? []).map(({ run = '' }) => run)
  const audits = (run: string) => /^npm audit --omit=dev --audit-level=low$/.test(run)
  const steps = runs(parse(release).jobs.packages)
  const asked = steps.findIndex(audits)
  const drills: readonly string[] = (jobs.drills?.strategy?.matrix?.drill ?? []).map((drill: string) => drill.split(' ')[0])
  const bots: readonly { readonly 'package-ecosystem': string; readonly cooldown?: { readonly 'default-days'?: number } }[] = parse(updates).updates
  return [
    ...(week !== undefined && runs(jobs.advisories).some(audits) ? [] : ['known holes are not looked up every week']),
    ...((on.push?.paths ?? []).includes('package-lock.json') ? [] : ['known holes are not looked up when the lockfile changes']),
    ...(asked !== -1 && asked < steps.findIndex((run: string) => run.startsWith('npm publish')) ? [] : ['a release is published without looking']),
    ...(month !== undefined && String(jobs.drills?.if).includes(month) && runs(jobs.drills).some((run) => run.startsWith('npm run drill -- '))
      ? []
      : ['no drill is run every month']),
    ...['keys', 'restore', 'rolling', 'upgrade']
      .filter((drill) => !drills.includes(drill))
      .map((drill) => `the drill ${drill} is not among those of the month`),
    ...bots.filter(({ cooldown }) => (cooldown?.['default-days'] ?? 0) < 7).map((bot) => `${bot['package-ecosystem']}: new versions are taken at once`),
    ...(bots.some((bot) => bot['package-ecosystem'] === 'npm') ? [] : ['nobody proposes new versions']),
  ]
}

const care = () => ({ regular: read('.github/workflows/regular.yml'), release: read('.github/workflows/release.yml'), updates: read('.github/dependabot.yml') })

test('known holes are looked up every week, with each new lockfile and before a release; drills are run every month; new versions wait a week (S109, S111, S114)', () => {
  expect(faultsOfCare(care())).toEqual([])
})

test.each([
  ['regular', 'npm audit --omit=dev --audit-level=low', 'npm audit --omit=dev || true', 'every week'],
  ['regular', 'paths: [package-lock.json', 'paths: [README.md', 'when the lockfile changes'],
  ['regular', "== '17 2 1 * *'", "== '17 2 2 * *'", 'every month'],
  ['regular', 'drill: [restore, ', 'drill: [', 'the drill restore'],
  ['release', 'run: npm audit --omit=dev --audit-level=low', 'run: npm audit || true', 'without looking'],
  ['updates', 'default-days: 7', 'default-days: 0', 'npm: new versions are taken at once'],
] as const)('%s with %j in it is refused once that is %j', (file, sound, broken, words) => {
  const texts = care()
  expect(texts[file]).toContain(sound)
  expect(faultsOfCare({ ...texts, [file]: texts[file].replace(sound, broken) }).join('; ')).toContain(words)
})

test('a bill of materials that leaves a part out, or names another version of it, is not whole (S110)', () => {
  const packages = [...runtimePackages(join(ROOT, 'packages/evergrant')).values()]
  const components = packages.map(({ name, version }) => ({ name, version }))
  expect(partsMissing({ components }, packages)).toEqual([])
  expect(partsMissing({ components: [{ group: '@a', name: 'b', version: '1' }] }, [{ name: '@a/b', version: '1' }])).toEqual([])
  const [first] = packages
  expect(partsMissing({ components: components.slice(1) }, packages)).toEqual([`${first?.name}@${first?.version}`])
  expect(partsMissing({ components: components.map((part, index) => (index === 0 ? { ...part, version: '0.0.0' } : part)) }, packages)).toHaveLength(1)
  expect(partsMissing({}, packages)).toHaveLength(packages.length)
})

test('what runs with the packages has a licence that is on the list', () => {
  const packages = [...runtimePackages(join(ROOT, 'packages/evergrant')).values()]
  expect(packages.length).toBeGreaterThan(50)
  expect(packages.filter(({ licence }) => !isAllowed(licence)).map(({ name, licence }) => `${name} ${licence}`)).toEqual(['web-push MPL-2.0'])
  expect(['(MIT OR GPL-3.0)', 'MIT AND ISC', 'GPL-3.0', 'MIT AND GPL-3.0', ''].map(isAllowed)).toEqual([true, true, false, false, false])
})

test('a release whose parts name another version is refused', () => {
  const { version } = JSON.parse(read('package.json'))
  const changelog = read('CHANGELOG.md').replace('## [Unreleased]', `## [Unreleased]\n\n## [${version}] - 2027-01-01\n\n- The first.`)
  const files = (path: string) => (path === 'CHANGELOG.md' ? changelog : read(path))
  expect(faultsOfRelease(version, files)).toEqual([])
  expect(faultsOfRelease('9.9.9', files).length).toBeGreaterThan(4)
  expect(notesOf(changelog, version)).toContain('The first.')
})
