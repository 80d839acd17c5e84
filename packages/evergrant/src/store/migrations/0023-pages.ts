import { type Migration, portable } from './migration.ts'

/** What an organization says on the connect pages, and connect sessions in which the end user chooses the integration. */
export const pages: Migration = {
  version: 23,
  name: 'pages',
  up: portable(`
alter table organization add column settings text not null default '{}';
alter table connect_session add column choices text;
`),
  down: portable('alter table connect_session drop column choices; alter table organization drop column settings;'),
}
