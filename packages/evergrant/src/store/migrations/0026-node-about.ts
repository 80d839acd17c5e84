import { type Migration, portable } from './migration.ts'

/** Whether a process serves, and at which address. A version that does not know the column leaves it alone, so what stands in it names the process that said it. */
export const nodeAbout: Migration = {
  version: 26,
  name: 'node about',
  up: portable('alter table node add column about text;'),
  down: portable('alter table node drop column about;'),
}
