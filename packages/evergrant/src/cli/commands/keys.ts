import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { keyEntriesOf, keyProviderOf } from '../../compose-keys.ts'
import { type Config, loadConfig } from '../../config.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { freshKey, keyFile, nextKeyId, readKeyEntries, replaceKeyFile } from '../../seal/key-file.ts'
import { wrapEntries } from '../../seal/key-provider.ts'
import { entryText, type KeyEntry } from '../../seal/keyring.ts'
import { systemEntropy, systemTimers } from '../../system.ts'
import { type Api, itemsOf, remoteApi } from '../api.ts'
import { isAlive, readControlFile } from '../control-file.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { refuseClosedFolder, refuseForeignFolder } from '../foreign-folder.ts'
import { hasSealedValues } from '../machine-findings.ts'
import { cell, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

/** Between two questions while other nodes do the work. */
const ASK_EVERY_MS = 250

/** `evergrant keys`: the master keys that seal what is stored. */
export function keyCommands(program: Command, shell: Shell): void {
  const group = program.command('keys').description('master keys that seal what is stored')
  group
    .command('status')
    .description('which keys there are, what each seals, which node has them, and how far sealing anew is')
    .action(() => withApi((api) => status(api, shell)))
  group
    .command('add')
    .description('makes a key that seals from now on: into the key file, or, for EVERGRANT_MASTER_KEYS, as the value to set')
    .option('--id <id>', 'its id; by default the next number: k2 after k1')
    .action((options: { readonly id?: string }) => add(options.id, shell))
  group
    .command('reseal')
    .description('seals everything anew with the first key; goes on where an interrupted one ended')
    .action(() => withApi((api) => reseal(api, shell)))
  group
    .command('remove <id>')
    .description('takes a key away that nothing uses; refused with every place where it is used')
    .action((id: string) => withApi((api) => remove(api, id, shell)))
  group
    .command('wrap')
    .description('has Vault wrap every key (EVERGRANT_VAULT_KEY): in the key file, or as the value to set')
    .action(() => wrap(shell))
}

async function status(api: Api, { output, finish }: Shell): Promise<void> {
  const found = await api.call('GET', 'admin/keys')
  const keys = objects(found['keys'])
  if (keys.some(({ state }) => state === 'missing')) finish(EXIT.problem)
  output.result(found, () => {
    const rows = keys.map((key) => [key['id'], key['state'], key['values'], key['journal']].map((value) => cell(value)))
    const nodes = objects(found['nodes']).map((node) => [nameOf(node), node['alive'], node['keys'] ?? 'not said', node['seals']].map((value) => cell(value)))
    const lines = [
      `Asked: ${api.where}`,
      '',
      formatTable(['KEY', 'STATE', 'VALUES', 'IN JOURNALS'], rows),
      '',
      formatTable(['NODE', 'LIVES', 'HAS', 'SEALS WITH'], nodes),
    ]
    if (found['complete'] === false) lines.push('', 'Still counting; the numbers grow.')
    const going = found['reseal']
    if (isObject(going)) lines.push('', progressLine(going))
    return lines.join('\n')
  })
}

const nameOf = ({ id, kind }: JsonObject): string => (kind === 'command' ? `${cell(id)} (a command)` : cell(id))

function progressLine(reseal: JsonObject): string {
  const { key, done, total, unopened, per_second: rate, seconds_left: left } = reseal
  const head = `Sealing anew with ${cell(key)}: ${cell(done)} of ${total === null ? 'so far uncounted' : cell(total)}`
  const missing = unopened === 0 ? '' : `, ${cell(unopened)} that do not open`
  if (reseal['finished_at'] !== null) return `${head}${missing}; finished at ${cell(reseal['finished_at'])}.`
  return `${head}${missing}${rate === null ? '' : `, ${cell(rate)} a second`}${left === null ? '' : `, about ${cell(left)} s left`}.`
}

async function reseal(api: Api, { output, finish }: Shell): Promise<void> {
  let told = ''
  // Each call works for a moment itself, so that it ends even where no server runs.
  let found = await api.call('POST', 'admin/keys/reseal')
  while (found['finished_at'] === null) {
    const line = progressLine(found)
    if (line !== told) output.note(line)
    told = line
    await systemTimers.sleep(ASK_EVERY_MS)
    found = await again(api, found)
  }
  if (found['unopened'] !== 0) finish(EXIT.problem)
  output.result(found, () => {
    const left = found['unopened'] === 0 ? '' : ' What did not open stays as it is: put its key back (evergrant keys status names it) and run this again.'
    return `${progressLine(found)}${left}`
  })
}

/** Somebody else may have ended it meanwhile: then it is not begun a second time. */
async function again(api: Api, before: JsonObject): Promise<JsonObject> {
  const now = (await api.call('GET', 'admin/keys'))['reseal']
  if (isObject(now) && now['key'] === before['key'] && now['finished_at'] !== null) return now
  return api.call('POST', 'admin/keys/reseal')
}

async function remove(api: Api, id: string, { output }: Shell): Promise<void> {
  const done = await api.call('DELETE', `admin/keys/${encodeURIComponent(id)}`)
  output.result(done, () =>
    done['outcome'] === 'removed'
      ? `${id} is taken out of the key file. Keep a copy of it as long as you keep backups from before.`
      : `Nothing uses ${id}. Take it out of EVERGRANT_MASTER_KEYS and restart the nodes one after the other; keep a copy as long as you keep backups from before.`,
  )
}

async function add(id: string | undefined, { output }: Shell): Promise<void> {
  const config = loadConfig({ development: false })
  const entries = await entriesToChange(config)
  const name = id ?? nextKeyId(entries)
  if (entries.some((entry) => entry.id === name)) throw new CommandFailure(EXIT.usage, `There is a key ${name} already: choose another --id.`)
  const made = freshKey(name, systemEntropy)
  const provider = keyProviderOf(config)
  const [entry = made] = provider === null ? [made] : await wrapEntries([made], provider)
  await writeDown(config, { before: entries, after: [entry, ...entries] }, output, {
    file: `${name} is the first key of ${keyFile(config.dataDir)}`,
    next: `Then seal the rest with it: evergrant keys reseal`,
  })
}

async function wrap({ output }: Shell): Promise<void> {
  const config = loadConfig({ development: false })
  const provider = keyProviderOf(config)
  if (provider === null) throw new CommandFailure(EXIT.usage, 'Set EVERGRANT_VAULT_KEY and EVERGRANT_VAULT_TOKEN: they say which key of Vault wraps.')
  const before = await entriesToChange(config)
  const entries = await wrapEntries(before, provider)
  await writeDown(config, { before, after: entries }, output, {
    file: `${entries.length === 1 ? 'The key' : `The ${entries.length} keys`} of ${keyFile(config.dataDir)} ${entries.length === 1 ? 'is' : 'are'} wrapped by ${provider.name}`,
    next: 'Keep EVERGRANT_VAULT_KEY and EVERGRANT_VAULT_TOKEN set: the server needs them at its next start. Destroy the copies in clear once it has started.',
  })
}

/** A key file that is gone is never replaced by a new one: its database needs the key that was in it. @throws CommandFailure, Fault */
async function entriesToChange(config: Config): Promise<readonly KeyEntry[]> {
  if (config.masterKeys !== null) return config.masterKeys
  refuseClosedFolder(config)
  refuseForeignFolder(config)
  const path = keyFile(config.dataDir)
  if (existsSync(path) || !(await hasSealedValues(config))) return keyEntriesOf(config)
  throw new CommandFailure(EXIT.problem, `This database holds sealed values, but ${path} is gone: put it back from your copy. A new key would open nothing.`, {
    code: 'seal_key_missing',
  })
}

interface Change {
  readonly before: readonly KeyEntry[]
  readonly after: readonly KeyEntry[]
}

interface Words {
  /** Without its full stop. */
  readonly file: string
  readonly next: string
}

async function writeDown(config: Config, { before, after: entries }: Change, output: Shell['output'], { file, next }: Words): Promise<void> {
  const ids = entries.map(({ id }) => id)
  if (config.masterKeys !== null) {
    const value = entries.map(entryText).join(',')
    output.result({ keys: ids, source: 'environment', EVERGRANT_MASTER_KEYS: value }, () => `EVERGRANT_MASTER_KEYS=${value}`)
    output.note(`Set this on every node and restart them one after the other; the new first key seals as soon as all have it. It is not shown again. ${next}`)
    return
  }
  const path = keyFile(config.dataDir)
  // Vault takes its time: what somebody else wrote meanwhile must not be written away, because a value may be sealed with it.
  if (textOf(readKeyEntries(path)) !== textOf(before))
    throw new CommandFailure(EXIT.problem, `${path} was changed meanwhile: look at it (evergrant keys status) and try again.`, { code: 'conflict' })
  replaceKeyFile(path, entries, systemEntropy)
  const control = readControlFile(config.dataDir)
  const runs = control !== undefined && isAlive(control.pid)
  if (runs)
    await remoteApi(control.url, control.key)
      .call('POST', 'admin/keys/reload')
      .catch((error: unknown) => unread(error, file, ids))
  output.result({ keys: ids, source: 'file', server: runs ? 'reloaded' : 'not running' }, () => `${file}.${runs ? ' The running server has read it.' : ''}`)
  output.note(`Keep a copy of the file apart from the database. ${next}`)
}

/** The file has changed all the same: whoever believes that nothing happened would add another key. */
function unread(error: unknown, file: string, keys: readonly string[]): never {
  if (!(error instanceof CommandFailure)) throw error
  const next = 'Mend that and restart it; do not run this command again.'
  throw new CommandFailure(error.exitCode, `${file}, but the running server has not read it: ${error.message}\n${next}`, { ...error.facts, keys })
}

const textOf = (entries: readonly KeyEntry[]): string => entries.map(entryText).join(' ')

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const objects = (value: JsonValue | undefined): readonly JsonObject[] => itemsOf({ items: value ?? [] })
