declare module 'oidc-provider' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Model {
    readonly accountId?: string
    readonly grantId?: string
    destroy(): Promise<void>
  }

  interface Grant extends Model {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  interface InteractionDetails {
    readonly uid: string
    readonly prompt: { readonly name: string }
    readonly params: Readonly<Record<string, string | undefined>>
  }

  interface Revocable {
    revokeByGrantId(grantId: string): Promise<void>
  }

  export interface TokenContext {
    readonly oidc: {
      readonly params?: Readonly<Record<string, string | undefined>>
      readonly entities: Readonly<Record<string, Model | undefined>>
    }
  }

  export class Provider extends EventEmitter {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<InteractionDetails>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: unknown, options: { mergeWithLastSubmission: boolean }): Promise<void>
    readonly Grant: { new (facts: { accountId: string; clientId: string }): Grant; find(id: string): Promise<Grant | undefined> }
    readonly RefreshToken: Revocable
    readonly AccessToken: Revocable
  }
}
