import type { Channels } from '../../core/alert/alerts.ts'
import type { Channel, ChannelKind } from '../../core/alert/channel.ts'
import type { QuietHours } from '../../core/alert/quiet-hours.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { ChannelId, OrganizationId, WebhookId } from '../../core/ids.ts'
import { append } from './event-rows.ts'
import { type Database, type Program, type Row, rows, run } from './program.ts'
import { bytesOrNull, integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

const CHANNEL =
  'id, organization_id, kind, name, enabled, sealed, recipients, digest, webhook_id, host, quiet, last_sent_at, last_error, created_at, updated_at, version'

/** What the column `digest` says beside 0 and 1. */
const EVERY_DAY = 2

const digestOf = ({ digest, whenWell }: Channel): number => (digest ? (whenWell ? EVERY_DAY : 1) : 0)

function toChannel(found: Row): Channel {
  return {
    id: text(found, 'id') as ChannelId,
    organization: text(found, 'organization_id') as OrganizationId,
    kind: text(found, 'kind') as ChannelKind,
    name: text(found, 'name'),
    enabled: integer(found, 'enabled') === 1,
    sealed: bytesOrNull(found, 'sealed'),
    to: json<readonly string[]>(found, 'recipients'),
    digest: integer(found, 'digest') > 0,
    whenWell: integer(found, 'digest') === EVERY_DAY,
    webhook: textOrNull(found, 'webhook_id') as WebhookId | null,
    host: textOrNull(found, 'host'),
    quiet: jsonOrNull<QuietHours>(found, 'quiet'),
    lastSentAt: integerOrNull(found, 'last_sent_at'),
    lastError: textOrNull(found, 'last_error'),
    createdAt: integer(found, 'created_at'),
    updatedAt: integer(found, 'updated_at'),
    version: integer(found, 'version'),
  }
}

function* insert(channel: Channel, event: NewEvent): Program<void> {
  yield* run(
    `insert into channel (${CHANNEL}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    channel.id,
    channel.organization,
    channel.kind,
    channel.name,
    channel.enabled ? 1 : 0,
    channel.sealed,
    JSON.stringify(channel.to),
    digestOf(channel),
    channel.webhook,
    channel.host,
    toJson(channel.quiet),
    channel.lastSentAt,
    channel.lastError,
    channel.createdAt,
    channel.updatedAt,
    channel.version,
  )
  yield* append(event)
}

function* update(channel: Channel, event: NewEvent): Program<'updated' | 'moved'> {
  const { id, organization, name, enabled, sealed, to, host, quiet, updatedAt, version } = channel
  const written = yield* run(
    `update channel set name = ?, enabled = ?, sealed = ?, recipients = ?, digest = ?, host = ?, quiet = ?, updated_at = ?, version = ?
     where id = ? and organization_id = ? and version = ?`,
    name,
    enabled ? 1 : 0,
    sealed,
    JSON.stringify(to),
    digestOf(channel),
    host,
    toJson(quiet),
    updatedAt,
    version,
    id,
    organization,
    version - 1,
  )
  if (written === 0) return 'moved'
  yield* append(event)
  return 'updated'
}

function* remove(organization: OrganizationId, id: ChannelId, event: NewEvent): Program<'removed' | 'gone'> {
  if ((yield* run('delete from channel where id = ? and organization_id = ?', id, organization)) === 0) return 'gone'
  yield* append(event)
  return 'removed'
}

function* list(condition: string, ...params: readonly string[]): Program<readonly Channel[]> {
  return (yield* rows(`select ${CHANNEL} from channel where ${condition} order by id`, ...params)).map(toChannel)
}

/** A channel that is gone for good is switched off, not deleted: a person sees why. */
function* note(...[id, at, error, off]: Parameters<Channels['note']>): Program<void> {
  const changes = [error === null ? 'last_sent_at = ?, last_error = null' : 'last_error = ?', ...(off ? ['enabled = 0, version = version + 1'] : [])]
  yield* run(`update channel set ${changes.join(', ')} where id = ?`, error ?? at, id)
}

function* claimDay(...[id, known, at]: Parameters<Channels['claimDay']>): Program<boolean> {
  const same = known === null ? 'last_sent_at is null' : 'last_sent_at = ?'
  return (yield* run(`update channel set last_sent_at = ? where id = ? and ${same}`, at, id, ...(known === null ? [] : [known]))) > 0
}

export function channelsStore(database: Database): Channels {
  return {
    insert: (channel, event) => database.write(() => insert(channel, event)),
    update: (channel, event) => database.write(() => update(channel, event)),
    remove: (organization, id, event) => database.write(() => remove(organization, id, event)),
    get: async (organization, id) => (await database.read(() => list('id = ? and organization_id = ?', id, organization)))[0],
    list: (organization) => database.read(() => list('organization_id = ?', organization)),
    everyDay: () => database.read(() => list(`enabled = 1 and digest = ${EVERY_DAY}`)),
    claimDay: (...asked) => database.write(() => claimDay(...asked)),
    note: (...asked) => database.write(() => note(...asked)),
  }
}
