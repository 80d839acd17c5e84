import { type ColumnDef, columnVisibilityFeature, type RowData, rowSelectionFeature, tableFeatures, useTable } from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { classes } from '../design/class-names.ts'
import { usePreferences } from '../preferences/preferences.ts'
import styles from './data-table.module.css'
import { useRowKeys } from './row-keys.ts'
import { SortHeader } from './sort-header.tsx'

export interface Column<Row> {
  readonly id: string
  readonly header: string
  readonly cell: (row: Row) => ReactNode
  /** What the server calls this order; without it the column cannot be sorted by. */
  readonly sort?: string
  /** `12rem`, `18%`. Columns without a width share the rest. */
  readonly width?: string
  readonly align?: 'end'
  /** Cannot be hidden, and is the title of a card on a narrow screen. */
  readonly main?: boolean
  /** Hidden until somebody chooses it. */
  readonly extra?: boolean
}

interface DataTableProps<Row> {
  /** What the table holds, for screen readers. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowId: (row: Row) => string
  /** What a row is called where it is selected: `Select ada@example.com`. */
  readonly rowName?: (row: Row) => string
  /** Ids of columns that are not shown. */
  readonly hidden?: readonly string[]
  /** `expires`, `-expires`. */
  readonly sort?: string | undefined
  readonly onSort?: (sort: string | undefined) => void
  /** Ids of the chosen rows; without it rows cannot be chosen. */
  readonly selected?: ReadonlySet<string>
  readonly onSelect?: (ids: ReadonlySet<string>) => void
  /** Rows are older than the question: greyed until the answer is there. */
  readonly dimmed?: boolean
}

const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature })
/** Fewer rows than this are all drawn: finding in the page and printing then see them. */
const VIRTUAL_FROM = 80
const ROW_PX = { comfortable: 40, compact: 32 } as const

/**
 * A table that the server filters and sorts. Long ones draw only the rows near the window; below 480 px each row is a card. `j`, `k` move from row to row,
 * `x` selects, Enter opens.
 */
export function DataTable<Row extends RowData>(props: DataTableProps<Row>): ReactNode {
  const { label, columns, rows, rowId, hidden = NONE, selected, onSelect, dimmed = false } = props
  const definitions = useMemo(
    () => columns.map((column): ColumnDef<typeof features, Row> => ({ id: column.id, header: column.header, cell: ({ row }) => column.cell(row.original) })),
    [columns],
  )
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: {
      columnVisibility: Object.fromEntries(columns.map(({ id }) => [id, !hidden.includes(id)])),
      rowSelection: Object.fromEntries([...(selected ?? [])].map((id) => [id, true])),
    },
  })
  const body = useRef<HTMLTableSectionElement>(null)
  const visible = columns.filter(({ id }) => table.getColumn(id)?.getIsVisible() !== false)
  const shown = table.getRowModel().rows
  const { density } = usePreferences()
  const drawn = useDrawnRows(body, shown.length, ROW_PX[density])
  const toggle = (id: string): void => {
    if (selected === undefined) return
    const next = new Set(selected)
    if (!next.delete(id)) next.add(id)
    onSelect?.(next)
  }
  useRowKeys(body, toggle)
  const wide = visible.length + (selected === undefined ? 0 : 1)
  return (
    <div className={styles['frame']}>
      <table role="table" aria-label={label} aria-rowcount={shown.length + 1} className={classes(styles['table'], dimmed && styles['dimmed'])}>
        <Head {...props} visible={visible} />
        <tbody ref={body} role="rowgroup">
          <Gap height={drawn.before} wide={wide} />
          {drawn.indexes.map((at) => {
            const row = shown[at]
            if (row === undefined) return null
            const isSelected = selected?.has(row.id) ?? false
            return (
              <tr
                key={row.id}
                role="row"
                data-row={row.id}
                data-index={at}
                ref={drawn.measure}
                aria-rowindex={at + 2}
                aria-selected={selected === undefined ? undefined : isSelected}
              >
                {selected === undefined ? null : (
                  <td role="cell" className={styles['choice']}>
                    <input
                      type="checkbox"
                      checked={isSelected}
                      aria-label={`Select ${props.rowName?.(row.original) ?? row.id}`}
                      onChange={() => toggle(row.id)}
                    />
                  </td>
                )}
                {visible.map((column) => (
                  <td
                    key={column.id}
                    role="cell"
                    data-label={column.header}
                    className={classes(column.align === 'end' && styles['end'], column.main && styles['main'])}
                  >
                    {/* Names are of any language: one that is read from the right is cut at its own end. */}
                    <div dir="auto" className={styles['value']}>
                      {column.cell(row.original)}
                    </div>
                  </td>
                ))}
              </tr>
            )
          })}
          <Gap height={drawn.after} wide={wide} />
        </tbody>
      </table>
    </div>
  )
}

const NONE: readonly string[] = []

function Head<Row extends RowData>({
  columns: _columns,
  visible,
  rows,
  rowId,
  selected,
  onSelect,
  sort,
  onSort,
}: DataTableProps<Row> & { readonly visible: readonly Column<Row>[] }): ReactNode {
  const all = rows.length > 0 && selected !== undefined && rows.every((row) => selected.has(rowId(row)))
  const some = (selected?.size ?? 0) > 0
  return (
    <thead role="rowgroup">
      <tr role="row" aria-rowindex={1}>
        {selected === undefined ? null : (
          <th role="columnheader" scope="col" className={styles['choice']}>
            <input
              type="checkbox"
              aria-label="Select all rows that are loaded"
              checked={all}
              ref={(box) => {
                if (box !== null) box.indeterminate = some && !all
              }}
              onChange={() => onSelect?.(all ? new Set() : new Set(rows.map(rowId)))}
            />
          </th>
        )}
        {visible.map((column) => (
          <SortHeader key={column.id} column={column} sort={sort} onSort={onSort} className={classes(column.align === 'end' && styles['end'])} />
        ))}
      </tr>
    </thead>
  )
}

/** Stands for rows that are not drawn. */
function Gap({ height, wide }: { readonly height: number; readonly wide: number }): ReactNode {
  if (height <= 0) return null
  return (
    <tr aria-hidden className={styles['gap']}>
      <td colSpan={wide} style={{ height }} />
    </tr>
  )
}

interface DrawnRows {
  readonly indexes: readonly number[]
  readonly before: number
  readonly after: number
  readonly measure: ((element: HTMLTableRowElement | null) => void) | undefined
}

/** The rows near the window; all of them while they are few. */
function useDrawnRows(body: { readonly current: HTMLTableSectionElement | null }, count: number, estimate: number): DrawnRows {
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    if (body.current !== null) setTop(body.current.getBoundingClientRect().top + window.scrollY)
  }, [body])
  const isVirtual = count > VIRTUAL_FROM
  const virtual = useWindowVirtualizer({ count: isVirtual ? count : 0, estimateSize: () => estimate, overscan: 12, scrollMargin: top })
  if (!isVirtual) return { indexes: Array.from({ length: count }, (_, at) => at), before: 0, after: 0, measure: undefined }
  const items = virtual.getVirtualItems()
  const [first, last] = [items[0], items[items.length - 1]]
  return {
    indexes: items.map(({ index }) => index),
    before: first === undefined ? 0 : first.start - top,
    after: last === undefined ? 0 : virtual.getTotalSize() - (last.end - top),
    measure: virtual.measureElement,
  }
}
