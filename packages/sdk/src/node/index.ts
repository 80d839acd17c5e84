export { EvergrantError } from '../evergrant-error.ts'
export { createProofKey, type ProofKey, type ProofRequest } from '../proof/proof-key.ts'
export type { AccessTokenClaims, Role } from './access-token.ts'
export {
  AgentClientError,
  ConnectionError,
  CredentialStoreError,
  CredentialsCopiedError,
  RateLimitError,
  ReauthorizationRequiredError,
  RecoveryDeniedError,
  RecoveryPendingApprovalError,
  TimeoutError,
} from './agent/client-errors.ts'
export type { AgentConnections, ConnectionFilter, TokenRequest } from './agent/connections.ts'
export type { CredentialEvent } from './agent/credential-events.ts'
export type { DevicePrompt } from './agent/enrolment.ts'
export { type CredentialDescription, Evergrant, type EvergrantOptions, type RegisterRequest } from './agent/evergrant.ts'
export type { KeyCustody, KeyProvider } from './agent/key-provider.ts'
export type { Platform } from './agent/platform.ts'
export type { Requirements } from './asked-for.ts'
export { type AuthenticationCode, AuthenticationError } from './authentication-error.ts'
export { type AuthenticatedSession, type Authenticator, type AuthenticatorOptions, createAuthenticator } from './authenticator.ts'
export type { RequestLike } from './request-headers.ts'
