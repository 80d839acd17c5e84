import { randomBytes } from 'node:crypto'
import type { Environment } from '../packages/evergrant/src/config.ts'
import type { InstallationId } from '../packages/evergrant/src/core/ids.ts'
import { signIn } from '../packages/evergrant/src/testing/people.ts'
import { openWholeNode, type WholeNode } from '../packages/evergrant/src/testing/whole-node.ts'
import { freePort } from '../packages/lab/src/free-port.ts'

interface AgentWorldOptions {
  /** Nodes over one database; without it, one node on a database of its own. */
  readonly databaseUrl?: string | null
  /** What programs see, where something stands in front of the nodes. */
  readonly publicUrl?: string
  readonly env?: Environment
}

/** Whole nodes that listen on this machine, with an agent and an operator's key. */
export class AgentWorld {
  readonly nodes: readonly WholeNode[]
  readonly urls: readonly string[]
  readonly agent: string
  readonly #key: string

  private constructor(nodes: AgentWorld['nodes'], urls: AgentWorld['urls'], agent: string, key: string) {
    this.nodes = nodes
    this.urls = urls
    this.agent = agent
    this.#key = key
  }

  static async open({ databaseUrl = null, publicUrl, env = {} }: AgentWorldOptions = {}): Promise<AgentWorld> {
    const ports = databaseUrl === null ? [await freePort()] : [await freePort(), await freePort()]
    const urls = ports.map((port) => `http://127.0.0.1:${port}`)
    const settings = {
      EVERGRANT_PUBLIC_URL: publicUrl ?? urls[0],
      EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ...(databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: databaseUrl }),
      ...env,
    }
    const nodes: WholeNode[] = []
    for (const port of ports) {
      const node = await openWholeNode({ env: settings })
      nodes.push(node)
      await node.app.listen({ port, host: '127.0.0.1' })
    }
    const [node] = nodes
    if (node === undefined) throw new Error('a world has a node')
    const { organization, services } = node.parts
    const owner = await signIn(node, { role: 'operator', organization })
    const { text } = await services.apiKeys.create(organization, { name: 'e2e', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })
    const made = await node.ask('POST', '/api/v1/agents', text, { name: 'weather', owner: owner.id, policy: { access: ['proxy'], connections: [{}] } })
    if (made.status !== 201) throw new Error(made.text)
    return new AgentWorld(nodes, urls, made.json.id, text)
  }

  get #first(): WholeNode {
    return this.nodes[0] as WholeNode
  }

  /** What the operator's request answers. @throws Error unless it went well */
  async operate(method: string, path: string, body: object = {}): Promise<WholeNodeJson> {
    const answer = await this.#first.ask(method, `/api/v1/${path}`, this.#key, method === 'GET' ? undefined : body)
    if (answer.status >= 300) throw new Error(answer.text)
    return answer.json
  }

  async code(): Promise<string> {
    return (await this.operate('POST', `agents/${this.agent}/enrolment-codes`)).code
  }

  async standing(id: string) {
    const found = await this.#first.store.installations.get(id as InstallationId)
    if (found === undefined) throw new Error(`${id} is not stored`)
    return found.installation
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()))
  }
}

type WholeNodeJson = Awaited<ReturnType<WholeNode['ask']>>['json']
