import type { ReactNode } from 'react'
import { classes } from '../../design/class-names.ts'
import styles from '../../table/data-table.module.css'
import own from './rows.module.css'

interface RowColumn<Item> {
  /** The heading; also beside the value where the row is a card. */
  readonly name: string
  readonly cell: (item: Item) => ReactNode
  /** Buttons: the heading is for screen readers alone, and the cell stands at the end. */
  readonly deeds?: boolean
  /** Numbers stand at the end of their column. */
  readonly number?: boolean
}

interface RowsProps<Item> {
  /** What the table holds, for screen readers. */
  readonly label: string
  readonly columns: readonly RowColumn<Item>[]
  readonly items: readonly Item[]
  readonly keyOf: (item: Item) => string
}

/** A short table that is neither sorted nor chosen from, in the look of `DataTable`: several of them may stand on a page. The first column is the title of a card. */
export function Rows<Item>({ label, columns, items, keyOf }: RowsProps<Item>): ReactNode {
  return (
    <div className={styles['frame']}>
      <table role="table" aria-label={label} className={classes(styles['table'], own['auto'])}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ name, deeds = false, number = false }) => (
              <th key={name} role="columnheader" scope="col" className={classes((number || deeds) && styles['end'])}>
                <span className={deeds ? 'unseen' : undefined}>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <tr key={keyOf(item)} role="row">
              {columns.map(({ name, cell, deeds = false, number = false }, at) => (
                <td
                  key={name}
                  role="cell"
                  data-label={deeds ? undefined : name}
                  className={classes((number || deeds) && styles['end'], at === 0 && styles['main'], deeds && own['deeds'])}
                >
                  {/* Names are of any language: one that is read from the right is cut at its own end. */}
                  <div dir={deeds ? undefined : 'auto'} className={deeds ? own['buttons'] : styles['value']}>
                    {cell(item)}
                  </div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
