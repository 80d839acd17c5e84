// The Helm chart, rendered by the template engine that Helm uses, and every object of it held to the schemas of Kubernetes and to what this project promises.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv } from 'ajv'
import { parse, parseAllDocuments } from 'yaml'

const CHART = 'deploy/helm/evergrant'
const PLACES = { v1: 'v1', 'apps/v1': 'apps/v1', 'policy/v1': 'policy/v1', 'networking.k8s.io/v1': 'networking.k8s.io/v1' }
/** Of the Prometheus operator: a schema of its own, which is not here. */
const ELSEWHERE = new Set(['monitoring.coreos.com/v1'])

export function valuesCheck(root) {
  const schema = JSON.parse(readFileSync(join(root, CHART, 'values.schema.json'), 'utf8'))
  const { $schema: _, ...rules } = schema
  const validate = new Ajv({ strict: false, allErrors: true }).compile(rules)
  const base = parse(readFileSync(join(root, CHART, 'values.yaml'), 'utf8'))
  return (over) => (validate(merge(base, over)) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`))
}

function merge(base, over) {
  const isMap = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
  const merged = { ...base }
  for (const [name, value] of Object.entries(over ?? {})) merged[name] = isMap(value) && isMap(base[name]) ? merge(base[name], value) : value
  return merged
}

/** What the objects of a rendered chart leave open. */
function faultsOfObjects(objects) {
  const faults = []
  const say = (condition, fault) => condition || faults.push(fault)
  const set = objects.find(({ kind }) => kind === 'StatefulSet')
  const pod = set?.spec.template.spec
  const container = pod?.containers[0]
  if (container === undefined) return ['there is no StatefulSet with a container']
  say(
    objects.every(({ kind }) => kind !== 'Secret'),
    'the chart holds a Secret',
  )
  say(pod.automountServiceAccountToken === false, 'a token of the cluster is mounted')
  say(
    pod.securityContext?.runAsNonRoot === true && pod.securityContext?.seccompProfile?.type === 'RuntimeDefault',
    'the pod is not restricted (Pod Security: restricted)',
  )
  const own = container.securityContext ?? {}
  say(
    own.allowPrivilegeEscalation === false && own.readOnlyRootFilesystem === true && own.capabilities?.drop?.includes('ALL'),
    'the container is not restricted',
  )
  const drain = Number(container.env.find(({ name }) => name === 'EVERGRANT_DRAIN_SECONDS')?.value)
  const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0
  say(pod.terminationGracePeriodSeconds > drain + sleep, 'the pod is killed before it has drained')
  say(container.livenessProbe?.httpGet?.path === '/health/live', 'a node without its database is killed')
  say(container.readinessProbe?.httpGet?.path === '/health/ready', 'traffic goes to nodes that are not ready')
  say(
    set.spec.volumeClaimTemplates?.some(({ metadata }) => metadata.name === 'data'),
    'the journal does not outlive its pod',
  )
  say(set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Retain', 'scaling down throws journals away')
  for (const { name, value } of container.env)
    say(!/(DATABASE_URL|MASTER_KEYS|SMTP_URL|EGRESS_PROXY|OTLP_ENDPOINT|VAULT_TOKEN)$/.test(name) || value === undefined, `${name} stands in clear`)
  for (const volume of pod.volumes ?? [])
    say(volume.secret === undefined || volume.secret.defaultMode === 0o400, `the files of ${volume.name} can be read by others`)
  for (const { spec } of objects.filter(({ kind }) => kind === 'ServiceMonitor')) {
    const wanted = Object.entries(spec.selector.matchLabels)
    const found = objects.filter(({ kind, metadata }) => kind === 'Service' && wanted.every(([name, value]) => metadata.labels?.[name] === value))
    say(found.length === 1, `each pod is scraped ${found.length} times`)
  }
  for (const { spec } of objects.filter(({ kind }) => kind === 'Ingress'))
    say(
      spec.rules.every(({ host }) => !host.includes(':')),
      'the ingress names a port, and its host may have none',
    )
  for (const object of objects)
    say(object.metadata?.labels?.['app.kubernetes.io/instance'] !== undefined, `${object.kind} ${object.metadata?.name} has no labels`)
  return faults
}

/** Go, sprig and the YAML library of Kubernetes, from Debian; or Helm itself. Null: neither is here. */
function renderer(root, scratch) {
  if (spawnSync('helm', ['version']).status === 0)
    return {
      name: 'helm',
      render: (files) =>
        execFileSync('helm', ['template', 'evergrant', join(root, CHART), ...files.flatMap((file) => ['--values', file])], { encoding: 'utf8' }),
    }
  if (spawnSync('go', ['version']).status !== 0 || !existsSync('/usr/share/gocode/src/github.com/Masterminds/sprig')) return null
  const binary = join(scratch, 'render-chart')
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    CGO_ENABLED: '0',
    GOCACHE: process.env.GOCACHE ?? join(tmpdir(), 'evergrant-go-cache'),
  }
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(root, 'tools/deploy/render-chart'), env })
  return {
    name: "Go's text/template with sprig",
    render: (files) => execFileSync(binary, [join(root, CHART), ...files], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  }
}

async function schemaFaults(objects, tools) {
  const known = objects.filter(({ apiVersion }) => !ELSEWHERE.has(apiVersion))
  const faults = known.filter(({ apiVersion }) => !(apiVersion in PLACES)).map(({ apiVersion, kind }) => `${apiVersion} ${kind} is not known`)
  if (faults.length > 0) return faults
  for (const object of known) {
    const module = await import(pathToFileURL(join(tools, 'node_modules/kubernetes-models', PLACES[object.apiVersion], `${object.kind}.js`)).href)
    try {
      new module[object.kind](object).validate()
    } catch (error) {
      faults.push(`${object.kind} ${object.metadata.name}: ${error.message}`)
    }
  }
  return [...faults, ...unknownFields(known, tools)]
}

/** The schemas let unknown fields pass, and so would a cluster: a field that is misspelt is one that is not set. The compiler does not. */
function unknownFields(objects, tools) {
  const lines = objects.map(({ apiVersion, kind, ...object }, index) => {
    const type = `import('kubernetes-models/${PLACES[apiVersion]}').I${kind}`
    return `export const object${index}: ${type} = ${JSON.stringify({ apiVersion, kind, ...object })}`
  })
  const file = join(tools, 'rendered-objects.ts')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const flags = [
    '--noEmit',
    '--ignoreConfig',
    '--strict',
    '--skipLibCheck',
    '--pretty',
    'false',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    '',
    file,
  ]
  const { stdout } = spawnSync(join(tools, '../../node_modules/.bin/tsc'), flags, { cwd: tools, encoding: 'utf8' })
  rmSync(file)
  return stdout.split('\n').filter((line) => line.includes('error'))
}

const CANARIES = [
  ['publicUrl: ""', 'publicUrl is missing'],
  ['{ publicUrl: "https://a.example", database: { kind: embedded }, replicas: 2 }', 'one SQLite database serves one process'],
  ['{ publicUrl: "https://a.example", config: { EVERGRANT_SMTP_URL: "smtp://x" } }', 'is a secret'],
  ['{ publicUrl: "https://a.example", config: { EVERGRANT_PORT: "1" } }', 'is set by the chart itself'],
]

/** @param {(title: string, ok: boolean, detail?: string) => void} say @param {(title: string, why: string) => void} leave */
export async function checkChart(root, tools, say, leave) {
  const check = valuesCheck(root)
  const examples = readdirSync(join(root, CHART, 'ci')).map((name) => join(root, CHART, 'ci', name))
  for (const file of examples)
    say(
      `${file.split('/').at(-1)} fits values.schema.json`,
      check(parse(readFileSync(file, 'utf8'))).length === 0,
      check(parse(readFileSync(file, 'utf8'))).join('; '),
    )
  const scratch = mkdtempSync(join(tmpdir(), 'evergrant-chart-'))
  try {
    const engine = renderer(root, scratch)
    if (engine === null)
      return leave(
        'the chart is rendered',
        'neither helm nor Go is here: apt-get install golang-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev',
      )
    for (const file of examples) {
      const objects = parseAllDocuments(engine.render([file]))
        .map((document) => document.toJS())
        .filter((object) => object !== null)
      const faults = [...faultsOfObjects(objects), ...(await schemaFaults(objects, tools))]
      say(
        `${file.split('/').at(-1)}: ${objects.length} objects, rendered by ${engine.name}, valid by the schemas of Kubernetes`,
        faults.length === 0,
        faults.join('; '),
      )
      const wrong = structuredClone(objects)
      wrong.find(({ kind }) => kind === 'StatefulSet').spec.template.spec.containers[0].imagePullPolcy = 'Always'
      say('the schemas find a misspelt field', (await schemaFaults(wrong, tools)).length === 1)
    }
    for (const [values, words] of CANARIES) {
      const file = join(scratch, 'canary.yaml')
      writeFileSync(file, `${values}\n`)
      let said = ''
      try {
        engine.render([file])
      } catch (error) {
        said = String(error.stderr)
      }
      say(`the chart refuses: ${words}`, said.includes(words), said)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  leave('helm lint, and an installation into a cluster', 'there is no Helm and no cluster here')
}
