import type { Connection } from '@evergrant/sdk/wire'
import type { OperateOperations } from './operate-operations.ts'
import type { Operation, Page, PageQuery } from './operation.ts'
import type { EventRecord, ProgramOperations } from './program-operations.ts'

interface SearchOperations {
  'GET /api/v1/events': Operation<
    PageQuery & { readonly q?: string | undefined; readonly type?: string; readonly connection?: string; readonly subject?: string },
    undefined,
    Page<EventRecord>
  >
  'GET /api/v1/expiries/list': Operation<
    PageQuery & { readonly from?: string; readonly to?: string; readonly kind?: string; readonly provider?: string | undefined },
    undefined,
    Page<Connection>
  >
}

/** The requests of docs/reference/console-api.md that the views make and the generated wire types do not hold yet. */
export interface ViewOperations extends ProgramOperations, OperateOperations, SearchOperations {}
