import { type Migration, portable } from './migration.ts'

/** When a grant ends whatever we do, and when its owner is told next. */
export const warnings: Migration = {
  version: 7,
  name: 'warnings',
  up: portable(`
alter table health add column ends_at $int;
alter table health add column warn_at $int;
create index health_warn on health (warn_at) where warn_at is not null;
`),
  down: portable(`
drop index health_warn;
alter table health drop column warn_at;
alter table health drop column ends_at;
`),
}
