import { type RevocationPorts, runRevocations } from '../core/connection/revocation-worker.ts'
import type { DatabaseTrust } from '../core/refresh/database-trust.ts'
import { type WarningPorts, warnBatch } from '../core/refresh/lifetime-warnings.ts'
import type { NodeWatch } from '../core/refresh/node-watch.ts'
import type { RefreshEngine } from '../core/refresh/refresh-engine.ts'
import { MINUTE, SECOND } from '../core/time.ts'
import type { Chore } from './worker.ts'

interface NodeChoreParts {
  readonly engine: Pick<RefreshEngine, 'runDue' | 'takeOverLost' | 'freeForgotten'> & { flushInterest(): Promise<void> }
  readonly revocation: RevocationPorts
  /** Null where there are no other nodes. */
  readonly watch: Pick<NodeWatch, 'beat'> | null
  /** Looks after the age of the database when nothing is presented, too; where a failover may come, as often as the proof is asked for. None where it is never doubted. */
  readonly warnings?: WarningPorts
  readonly trust?: Pick<DatabaseTrust, 'trusted' | 'refreshed'>
}

/** What a node does by itself for its grants, whatever its store. */
export function nodeChores({ engine, revocation, watch, trust, warnings }: NodeChoreParts): readonly Chore[] {
  return [
    { name: 'renew', everyMs: SECOND, run: async () => (await engine.runDue()) > 0 },
    { name: 'own leases', everyMs: MINUTE, run: () => engine.freeForgotten().then(() => false) },
    { name: 'read marks', everyMs: 5 * SECOND, run: () => engine.flushInterest().then(() => false) },
    { name: 'revoke', everyMs: 2 * SECOND, run: async () => trust?.trusted() !== false && (await runRevocations(revocation)) > 0 },
    ...(warnings === undefined ? [] : [{ name: 'warn of ends', everyMs: MINUTE, run: () => warnBatch(warnings) }]),
    ...(trust === undefined
      ? []
      : [{ name: 'age of the database', everyMs: (watch === null ? 5 : 1) * SECOND, run: () => trust.refreshed().then(() => false) }]),
    ...(watch === null ? [] : sharedChores(engine, watch)),
  ]
}

/** Goes on with codes that an earlier life of this node exchanged, as soon as what they lacked is back. */
export function keptExchangeChore(kept: { retry(): Promise<number> }): Chore {
  return { name: 'kept sign-ins', everyMs: MINUTE, run: () => kept.retry().then(() => false) }
}

interface EventChoreParts {
  readonly pushes: { work(): Promise<number> }
  readonly routineChecks: { plan(): Promise<boolean>; run(): Promise<number> }
}

/** What providers told, and what they are asked by routine. Nothing is asked of them from a database that is not trusted. */
export function eventChores({ pushes, routineChecks }: EventChoreParts, trust: Pick<DatabaseTrust, 'trusted'>): readonly Chore[] {
  return [
    { name: 'pushes', everyMs: 2 * SECOND, run: async () => trust.trusted() && (await pushes.work()) > 0 },
    { name: 'plan checks', everyMs: MINUTE, run: async () => trust.trusted() && (await routineChecks.plan()) },
    { name: 'checks', everyMs: 5 * SECOND, run: async () => trust.trusted() && (await routineChecks.run()) > 0 },
  ]
}

/** Publishes, changes and retires the keys of access tokens when their time comes. */
export function signingKeyChore(signingKeys: { tick(): Promise<boolean> }): Chore {
  return { name: 'signing keys', everyMs: MINUTE, run: () => signingKeys.tick() }
}

/** Says once a minute that installations can reach us, and excuses tokens that ended while they could not. */
export function reachableChore(downtime: { tick(): Promise<number> }): Chore {
  return { name: 'installations', everyMs: MINUTE, run: () => downtime.tick().then(() => false) }
}

/** Takes the snapshots of trust scores that are due: once a day for each agent, and soon after an incident. */
export function trustChore(trust: { work(): Promise<boolean> }): Chore {
  return { name: 'trust scores', everyMs: 10 * SECOND, run: () => trust.work() }
}

/** Writes what this node counted for the plots, and adds up the hours that are over. */
export function historyChore(history: { work(): Promise<boolean> }): Chore {
  return { name: 'history', everyMs: MINUTE, run: () => history.work() }
}

export interface AlertChoreParts {
  readonly watch: { readEvents(): Promise<boolean>; look(): Promise<boolean> }
  readonly report: { run(): Promise<void> }
  readonly deliveries: { run(): Promise<boolean> }
  readonly notifier: { run(): Promise<boolean>; runDaily(): Promise<void> }
  readonly letters: { run(): Promise<boolean> }
}

/** Tells applications and people what happened, and what lasts. */
export function alertChores({ watch, report, deliveries, notifier, letters }: AlertChoreParts): readonly Chore[] {
  return [
    { name: 'what happened', everyMs: SECOND, run: () => watch.readEvents() },
    { name: 'what lasts', everyMs: 15 * SECOND, run: () => watch.look() },
    { name: 'about this node', everyMs: MINUTE, run: () => report.run().then(() => false) },
    { name: 'webhooks', everyMs: SECOND, run: () => deliveries.run() },
    { name: 'notices', everyMs: 2 * SECOND, run: () => notifier.run() },
    { name: 'letters of the day', everyMs: 5 * MINUTE, run: () => notifier.runDaily().then(() => false) },
    { name: 'letters to owners', everyMs: 5 * SECOND, run: () => letters.run() },
  ]
}

/** Watches the sweeps that somebody began, on whatever node, and reports of the day before. */
export function operateChores({
  sweeps,
  reports,
}: {
  readonly sweeps: { work(): Promise<boolean> }
  readonly reports: { work(): Promise<number> }
}): readonly Chore[] {
  return [
    { name: 'sweeps', everyMs: 2 * SECOND, run: () => sweeps.work() },
    { name: 'reports', everyMs: 10 * MINUTE, run: () => reports.work().then(() => false) },
  ]
}

/** Tells the others which master keys this node has, looks which they have and at which addresses they are, and seals anew what somebody asked for. */
export function keyChores<Seen>(
  keys: { work(): Promise<boolean> },
  keyringWatch: { look(): Promise<Seen> },
  addressWatch: { look(seen: Seen): void },
): readonly Chore[] {
  return [
    {
      name: 'master keys',
      everyMs: 5 * SECOND,
      run: () =>
        keyringWatch
          .look()
          .then((seen) => addressWatch.look(seen))
          .then(() => false),
    },
    { name: 'seal anew', everyMs: SECOND, run: () => keys.work() },
  ]
}

/** Where there are other nodes: shows them that this one lives, and looks after those that do not. */
function sharedChores(engine: NodeChoreParts['engine'], watch: Pick<NodeWatch, 'beat'>): readonly Chore[] {
  return [
    { name: 'heartbeat', everyMs: 5 * SECOND, run: () => watch.beat(false).then(() => false) },
    { name: 'take over', everyMs: 3 * SECOND, run: () => engine.takeOverLost().then(() => false) },
  ]
}
