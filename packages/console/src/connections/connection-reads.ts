import type { Name } from '../api/operations.ts'

/** Everything that shows a connection: read again after whatever was done to it. */
export const CONNECTION_READS: readonly Name[] = [
  'GET /api/v1/connections/{id}',
  'GET /api/v1/connections/{id}/why',
  'GET /api/v1/connections/{id}/timeline',
  'GET /api/v1/connections',
  'GET /api/v1/connections/facets',
  'GET /api/v1/console/overview',
]
