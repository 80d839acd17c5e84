/**
 * The door to what the server puts around its engine, for whoever puts the same around an engine of their own
 * (`evergrant/engine`): provider records, the token endpoint's client, the worker with a node's chores, stores in memory.
 */
export { createAddressGuard } from './outbound/address-guard.ts'
export { createTokenEndpoint } from './outbound/token-endpoint.ts'
export { defineProvider } from './providers/define.ts'
export { createProviderDirectory } from './providers/directory.ts'
export { nodeChores } from './schedule/node-chores.ts'
export { type Chore, startWorker, type Worker } from './schedule/worker.ts'
export { openMemoryStore } from './store/index.ts'
export { openVolatileStore, type Snapshot, type VolatileStore } from './store/memory/volatile-store.ts'
