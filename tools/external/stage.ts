import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../packages/lab/src/free-port.ts'

export interface StageFacts {
  /** Where it listens. */
  readonly url: string
  /** What it believes to be its address: https, behind the front door. */
  readonly publicUrl: string
  /** With every scope. */
  readonly key: string
  /** Of an owner who is signed in. */
  readonly token: string
  /** Ids of rows that are there, by what they begin with. */
  readonly ids: Readonly<Record<string, string>>
  /** The same of the organization that nobody may see. */
  readonly shadowIds: Readonly<Record<string, string>>
  readonly shadowKey: string
  /** One of these stands in everything of the shadow organization. */
  readonly marks: readonly string[]
}

/** What the server saw itself answer. */
export interface Seen {
  readonly answers: number
  readonly byStatus: Readonly<Record<string, number>>
  /** 500, or words of a database or of a stack. */
  readonly broken: readonly string[]
  /** Something of the shadow organization in an answer. */
  readonly leaks: readonly string[]
  readonly slow: readonly string[]
}

export interface Stage extends StageFacts {
  /** Of the port that speaks TLS, and sends plain http there. */
  readonly frontPort: number
  readonly openapi: OpenApi
  seen(): Promise<Seen>
  close(): Promise<void>
}

export interface Operation {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: 'path' | 'query' | 'header'
    readonly required?: boolean
    readonly schema: Readonly<Record<string, unknown>>
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Readonly<Record<string, unknown>> }>> }
  readonly security?: readonly Readonly<Record<string, unknown>>[]
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** A real server on a port of its own, with two organizations in it. */
export async function startStage(): Promise<Stage> {
  const [port, frontPort] = [await freePort(), await freePort()]
  const publicUrl = `https://localhost:${frontPort}`
  const server = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [String(port), publicUrl], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const hear = async <Name extends string, Said>(name: Name): Promise<Said> => {
    const [message] = (await Promise.race([once(server, 'message'), once(server, 'exit').then(() => [null])])) as [Record<Name, Said> | null]
    if (message === null) throw new Error('the server ended; see what it said above')
    return message[name]
  }
  const facts = await hear<'facts', StageFacts>('facts')
  const answer = await fetch(`${facts.url}/api/v1/openapi.json`)
  const openapi = (await answer.json()) as OpenApi
  return {
    ...facts,
    frontPort,
    openapi,
    seen: () => {
      server.send('seen')
      return hear<'seen', Seen>('seen')
    },
    close: async () => {
      if (server.exitCode !== null) return
      const gone = once(server, 'exit')
      server.kill('SIGTERM')
      server.disconnect()
      await gone
    },
  }
}
