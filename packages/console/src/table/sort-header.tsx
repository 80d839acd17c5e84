import { ArrowDown, ArrowUp } from 'lucide-react'
import type { ReactNode } from 'react'
import styles from './data-table.module.css'

interface SortHeaderProps {
  readonly column: { readonly header: string; readonly sort?: string; readonly width?: string }
  readonly sort: string | undefined
  readonly onSort: ((sort: string | undefined) => void) | undefined
  readonly className: string
}

/** A column's head: up, down, and back to the server's own order. */
export function SortHeader({ column, sort, onSort, className }: SortHeaderProps): ReactNode {
  const { header, sort: key, width } = column
  const isUp = key !== undefined && sort === key
  const isDown = key !== undefined && sort === `-${key}`
  const style = width === undefined ? undefined : { width }
  if (key === undefined || onSort === undefined)
    return (
      <th role="columnheader" scope="col" className={className} style={style}>
        {header}
      </th>
    )
  const next = isUp ? `-${key}` : isDown ? undefined : key
  return (
    <th role="columnheader" scope="col" className={className} style={style} aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <button type="button" className={styles['sort']} onClick={() => onSort(next)}>
        {header}
        {isUp ? <ArrowUp size={13} aria-hidden /> : isDown ? <ArrowDown size={13} aria-hidden /> : null}
      </button>
    </th>
  )
}
