export type { Change, Changes, Meta, Migrations, MigrationStatus, Store, StoreOptions } from './contract.ts'
export { type DataLock, takeDataLock } from './sqlite/data-lock.ts'
export { sqliteMigrations } from './sqlite/sqlite-migrations.ts'
export { openMemoryStore, openSqliteStore } from './sqlite/sqlite-store.ts'
