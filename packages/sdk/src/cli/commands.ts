import { isEvergrantError } from '../evergrant-error.ts'
import { type CredentialDescription, Evergrant, type EvergrantOptions } from '../node/agent/evergrant.ts'
import { type ExitCode, paint, report, type Terminal } from './terminal.ts'

export interface CommandOptions {
  readonly server?: string | undefined
  readonly profile?: string | undefined
  readonly name?: string | undefined
  readonly device?: boolean | undefined
  readonly offline?: boolean | undefined
  /** For tests. */
  readonly platform?: EvergrantOptions['platform']
}

function clientOf({ server, profile, platform }: CommandOptions, terminal: Terminal): Evergrant {
  const chosen = { ...(server === undefined ? {} : { server }), ...(profile === undefined ? {} : { profile }), ...(platform === undefined ? {} : { platform }) }
  return new Evergrant({ ...chosen, log: (line) => terminal.err(paint(terminal, 'dim', line)) })
}

/** Ends the timers of the client, whatever happened. */
async function withClient(options: CommandOptions, terminal: Terminal, work: (client: Evergrant) => Promise<void>): Promise<ExitCode> {
  const client = clientOf(options, terminal)
  try {
    await work(client)
    return 0
  } finally {
    await client.close()
  }
}

export function enroll(code: string | undefined, options: CommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withClient(options, terminal, async (client) => {
    const { server, name, profile } = options
    const named = { ...(server === undefined ? {} : { server }), ...(name === undefined ? {} : { name }), ...(profile === undefined ? {} : { profile }) }
    const onPrompt = ({ completeUrl, userCode, url }: { readonly completeUrl: string; readonly userCode: string; readonly url: string }): void => {
      if (terminal.json) terminal.out(JSON.stringify({ verification_uri: url, verification_uri_complete: completeUrl, user_code: userCode }))
      else
        terminal.err(
          `Open ${paint(terminal, 'strong', completeUrl)} and compare the code ${paint(terminal, 'strong', userCode)}. Waiting for somebody to approve ...`,
        )
    }
    const who = await client.agents.register(code === undefined ? { ...named, onPrompt, again: true } : { ...named, code })
    report(terminal, who, [
      `${paint(terminal, 'good', 'Enrolled')} as ${paint(terminal, 'strong', who.installation.name)} of the agent ${who.agent.name} (${who.agent.status}) at ${who.server}.`,
      who.agent.status === 'verified'
        ? 'Programs of this user connect with: await Evergrant.connect()'
        : 'Its owner has to accept it first: evergrant agents accept <agent>.',
    ])
  })
}

export function whoami(options: CommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withClient(options, terminal, async (client) => {
    if (options.offline !== true) await believed(client)
    const who = await client.describe()
    report(terminal, who, linesOf(who))
  })
}

/** What an agent may do has nothing to do with who this machine is. */
const ABOUT_RIGHTS: readonly string[] = ['agent_not_verified', 'agent_policy_refused']

/** A token that still lives says nothing of a machine that was cut off since: only the server knows. */
async function believed(client: Evergrant): Promise<void> {
  try {
    await client.connections.list({ limit: 1 })
  } catch (error) {
    if (!isEvergrantError(error) || !ABOUT_RIGHTS.includes(error.code)) throw error
  }
}

export function rotate(options: CommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withClient(options, terminal, async (client) => {
    const who = await client.rotateKey()
    report(terminal, who, [`${paint(terminal, 'good', 'Rotated')}: a new key (${who.key_thumbprint}) and new tokens, generation ${who.generation}.`])
  })
}

export function logout(options: CommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withClient(options, terminal, async (client) => {
    const who = await client.describe()
    await client.logout()
    report(terminal, { signed_out: true, installation: who.installation.id, server: who.server }, [
      `${paint(terminal, 'good', 'Signed out')}: ${who.installation.name} is over at ${who.server}, and its credential is gone from this machine.`,
    ])
  })
}

function linesOf(who: CredentialDescription): string[] {
  const { installation, agent, organization, recovery } = who
  return [
    `server        ${who.server}`,
    `organization  ${organization.name} (${organization.id})`,
    `agent         ${agent.name} (${agent.id}), ${agent.status}`,
    `installation  ${installation.name} (${installation.id}), ${installation.status}`,
    `key           ${who.custody}, ${who.key_thumbprint}`,
    `credential    generation ${who.generation}, from ${who.source}${who.file === null ? '' : ` (${who.file})`}`,
    `valid until   ${who.access_expires_at}, renews itself until ${who.refresh_expires_at} without being used`,
    ...(recovery === null
      ? []
      : [`recovery      ${recovery.mode}${recovery.remaining === null ? '' : `, ${recovery.remaining} left in ${recovery.window_days} days`}`]),
  ]
}
