export type {
  CompletedConnect,
  ConnectCompletion,
  ConnectionFilter,
  ConnectionPage,
  ConnectSession,
  EvergrantClient,
  NewConnectSession,
  Token,
  TokenOptions,
} from './client.ts'
export { createClient } from './client.ts'
export { EvergrantError, type ProblemDocument } from './evergrant-error.ts'
export type { CallOptions, TransportOptions } from './transport.ts'
