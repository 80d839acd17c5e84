import { type EnginePorts, type FailureCommit, Fault, type TokenAnswer, type TokenRequest } from '../../../evergrant/src/engine.ts'
import { protocolEngine } from '../simulation/engines.ts'
import { runSeed } from '../simulation/run-seed.ts'
import type { EngineFactory, NodeEngine, SeedReport } from '../simulation/seed-report.ts'
import { CANARY_SEEDS } from './canary-list.ts'

/** An engine that does one thing wrong, on purpose: what the world must notice, or the world is blind there. */
const WRONG: Readonly<Record<string, EngineFactory>> = {
  retries_like_a_library: (ports) => protocolEngine({ ...ports, endpoint: retryingEndpoint(ports.endpoint) }),
  serves_an_old_generation: (ports) => servesOld(protocolEngine(ports)),
  silence_is_death: (ports) => failing(ports, (commit) => (commit.effect === 'suspect' ? { ...commit, effect: 'dead', death: null } : commit)),
  durable_only_in_words: (ports) => protocolEngine(undurable(ports)),
  presents_spent_tokens: (ports) => protocolEngine({ ...ports, endpoint: repeatingEndpoint(ports) }),
  forgets_suspicions: (ports) => failing(ports, (commit) => (commit.effect === 'suspect' ? { ...commit, effect: 'untouched', nextAttemptAt: null } : commit)),
  drops_answers: (ports) => protocolEngine({ ...undurable(ports), credentials: { ...ports.credentials, commitGrant: superseded } }),
  serves_nobody: (ports) => ({ ...protocolEngine(ports), peek: () => undefined, token: () => Promise.reject(new Fault('provider_unavailable')) }),
  sends_twice: (ports) => protocolEngine({ ...ports, endpoint: doublingEndpoint(ports.endpoint) }),
  config_is_death: (ports) => failing(ports, (commit) => (commit.fault.code === 'client_rejected' ? { ...commit, effect: 'dead', death: null } : commit)),
  serves_after_the_disconnect: (ports) => remembersForEver(protocolEngine(ports)),
  exits_at_once: (ports) => ({ ...protocolEngine(slowToCommit(ports)), drain: () => Promise.resolve({ onlyInJournal: 0 }) }),
  logs_tokens: (ports) =>
    protocolEngine({ ...ports, seal: { ...sealOf(ports), openText: (sealed, context) => logged(ports, ports.seal.openText(sealed, context)) } }),
  ends_without_an_event: (ports) => failing(ports, (commit) => (commit.effect === 'dead' ? { ...commit, event: null, death: null } : commit)),
  ignores_the_tenant: (ports) => anyTenant(ports, protocolEngine(ports)),
}

/** One seed with this canary. @throws Error for a canary that does not exist */
export function playCanary(name: string, seed: number): Promise<SeedReport> {
  const build = WRONG[name]
  if (build === undefined) throw new Error(`there is no canary ${name}`)
  const mask = CANARY_SEEDS.find((canary) => canary.name === name)?.mask
  return runSeed({ seed, build, events: 4_000, ...(mask === undefined ? {} : { mask }) })
}

function failing(ports: EnginePorts, change: (commit: FailureCommit) => FailureCommit): NodeEngine {
  const { credentials } = ports
  return protocolEngine({ ...ports, credentials: { ...credentials, commitFailure: (commit) => credentials.commitFailure(change(commit)) } })
}

function undurable(ports: EnginePorts): EnginePorts {
  const { journal, credentials } = ports
  const nowhere: EnginePorts['journal'] = {
    append: () => Promise.resolve(),
    settle: () => {},
    pending: () => Promise.resolve([]),
    answers: () => journal.answers(),
    healthy: () => true,
    close: () => journal.close(),
  }
  const commitGrant: typeof credentials.commitGrant = (commit) => Promise.resolve({ kind: 'applied', generation: commit.presentedGeneration + 1 })
  return { ...ports, journal: nowhere, credentials: { ...credentials, commitGrant } }
}

const superseded: EnginePorts['credentials']['commitGrant'] = (commit) => Promise.resolve({ kind: 'superseded', generation: commit.presentedGeneration + 1 })

function retryingEndpoint(endpoint: EnginePorts['endpoint']): EnginePorts['endpoint'] {
  return {
    open: async (url, options) => {
      const line = await endpoint.open(url, options)
      return {
        close: () => line.close(),
        send: async (request, deadlineMs) => {
          const outcome = await line.send(request, 5_000)
          if (outcome.kind !== 'no_answer') return outcome
          const again = await endpoint.open(url, options).catch(() => null)
          return again === null ? outcome : again.send(request, deadlineMs)
        },
      }
    },
  }
}

function doublingEndpoint(endpoint: EnginePorts['endpoint']): EnginePorts['endpoint'] {
  return {
    open: async (url, options) => {
      const [line, twin] = [await endpoint.open(url, options), await endpoint.open(url, options)]
      return {
        close: () => line.close(),
        send: (request, deadlineMs) => {
          void twin.send(request, deadlineMs)
          return line.send(request, deadlineMs)
        },
      }
    },
  }
}

/** Five minutes after its answer, the spent token is presented again. */
function repeatingEndpoint({ endpoint, timers }: EnginePorts): EnginePorts['endpoint'] {
  return {
    open: async (url, options) => {
      const line = await endpoint.open(url, options)
      return {
        close: () => line.close(),
        send: async (request, deadlineMs) => {
          timers.after(
            300_000,
            () =>
              void endpoint.open(url, options).then(
                (again) => again.send(request, deadlineMs),
                () => {},
              ),
          )
          return line.send(request, deadlineMs)
        },
      }
    },
  }
}

/** Answers are in hand for half a minute, so that a node which ends at once ends with one. */
function slowToCommit(ports: EnginePorts): EnginePorts {
  const { credentials, timers } = ports
  const commitGrant: typeof credentials.commitGrant = async (commit) => {
    await timers.sleep(30_000)
    return credentials.commitGrant(commit)
  }
  return { ...ports, credentials: { ...credentials, commitGrant } }
}

/** Every second caller gets what was served first. */
function servesOld(engine: NodeEngine): NodeEngine {
  const first = new Map<string, TokenAnswer>()
  let calls = 0
  const token = async (request: TokenRequest) => {
    const answer = await engine.token(request)
    const old = first.get(request.connection) ?? answer
    first.set(request.connection, old)
    calls += 1
    return calls % 2 === 0 ? old : answer
  }
  return { ...engine, peek: () => undefined, token }
}

function remembersForEver(engine: NodeEngine): NodeEngine {
  const last = new Map<string, TokenAnswer>()
  const token = async (request: TokenRequest) => {
    try {
      const answer = await engine.token(request)
      last.set(request.connection, answer)
      return answer
    } catch (error) {
      const answer = last.get(request.connection)
      if (answer === undefined || request.organization === undefined) throw error
      return answer
    }
  }
  return { ...engine, peek: () => undefined, token }
}

function anyTenant(ports: EnginePorts, engine: NodeEngine): NodeEngine {
  const token = async (request: TokenRequest) => {
    const row = await ports.credentials.read(request.connection)
    return engine.token({ ...request, organization: row?.connection.organization ?? request.organization })
  }
  return { ...engine, peek: () => undefined, token }
}

/** A seal with methods of its own, so that one of them can be replaced. */
function sealOf({ seal }: EnginePorts): EnginePorts['seal'] {
  return {
    seal: (plain, context) => seal.seal(plain, context),
    open: (sealed, context) => seal.open(sealed, context),
    openText: (sealed, context) => seal.openText(sealed, context),
    fingerprint: (secret) => seal.fingerprint(secret),
    mac: (purpose, data) => seal.mac(purpose, data),
    digest: (value) => seal.digest(value),
  }
}

function logged(ports: EnginePorts, text: string): string {
  ports.log.info({ token: text }, 'opened a token')
  return text
}
