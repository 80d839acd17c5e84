// What a person does with the public API, from their own session.

type Fields = Readonly<Record<string, unknown>>

interface AgentRequest {
  readonly name: string
  readonly policy: Fields
}

interface Grant {
  readonly integration: string
  readonly account: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresIn: number
}

/** Somebody who is signed in, and does what the console's buttons do. */
export class Operator {
  readonly #url: string
  /** Of this session; ten minutes. */
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async signIn(url: string, email: string, password: string): Promise<Operator> {
    const { access_token: token } = await send(url, null, 'POST', 'auth/login', { email, password, mode: 'bearer' })
    return new Operator(url, String(token))
  }

  async addIntegration(slug: string, name: string): Promise<void> {
    const scopes = ['openid', 'profile', 'email', 'offline_access']
    await this.call('POST', 'integrations', { slug, name, provider: 'weather', client_id: 'practice', client_secret: 'practice-secret', scopes })
  }

  /** Takes over a grant, as if its owner had connected in a browser; the connection's id. */
  async addConnection({ integration, account, accessToken, refreshToken, expiresIn }: Grant, tag: string): Promise<string> {
    const { id } = await this.call('POST', 'connections', {
      integration,
      owner: account,
      account,
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_at: new Date(Date.now() + expiresIn * 1_000).toISOString(),
      tags: [tag],
    })
    return String(id)
  }

  async createAgent(request: AgentRequest): Promise<string> {
    return String((await this.call('POST', 'agents', { ...request })).id)
  }

  /** One code for one machine, good for an hour. */
  async enrolmentCode(agent: string, name: string): Promise<string> {
    return String((await this.call('POST', `agents/${agent}/enrolment-codes`, { name })).code)
  }

  async accept(agent: string): Promise<void> {
    await this.call('POST', `agents/${agent}/accept`)
  }

  /** Of the one installation of this agent. */
  async rotate(agent: string): Promise<void> {
    await this.call('POST', `installations/${await this.#installationOf(agent)}/rotate`, { reason: 'monthly hygiene' })
  }

  async cutOff(agent: string): Promise<void> {
    await this.call('POST', `installations/${await this.#installationOf(agent)}/cut-off`, { reason: 'the experiment is over' })
  }

  /** What is written down about the one installation of this agent, oldest first. */
  async historyOf(agent: string): Promise<readonly string[]> {
    const { items } = await this.call('GET', `installations/${await this.#installationOf(agent)}/timeline`)
    return (items as readonly { readonly at: string; readonly sentence: string }[]).map(({ at, sentence }) => `${at.slice(11, 19)}  ${sentence}`).reverse()
  }

  /** Evergrant's own generation of a connection's credential: +1 with every renewal. */
  async generationOf(connection: string): Promise<number> {
    return Number((await this.call('GET', `connections/${connection}`)).generation)
  }

  /** Any request of the API. @throws Error for every refusal */
  call(method: string, path: string, body?: Fields): Promise<Fields> {
    return send(this.#url, this.#token, method, path, body)
  }

  async #installationOf(agent: string): Promise<string> {
    const { items } = await this.call('GET', `installations?agent=${agent}`)
    const [first] = items as readonly { readonly id: string }[]
    if (first === undefined) throw new Error(`the agent ${agent} has no installation`)
    return first.id
  }
}

async function send(url: string, token: string | null, method: string, path: string, body?: Fields): Promise<Fields> {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Fields
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${String(answer['detail'])}`)
  return answer
}
