import { ChartColumn, Table2 } from 'lucide-react'
import { type ReactNode, useId, useState } from 'react'
import { Button } from '../button.tsx'
import styles from './chart.module.css'

interface ChartTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

interface ChartProps {
  readonly title: string
  /** What the picture shows, in a sentence: it is what a screen reader gets. */
  readonly summary: string
  readonly table: ChartTable
  readonly legend?: readonly { readonly text: string; readonly color: string }[]
  readonly children: ReactNode
}

/** Around every chart: its title, its sentence, its legend, and the same numbers as a table. */
export function Chart({ title, summary, table, legend, children }: ChartProps): ReactNode {
  const [asTable, setAsTable] = useState(false)
  const id = useId()
  return (
    <figure className={styles['chart']} aria-labelledby={id}>
      <figcaption className={styles['caption']}>
        <div>
          <h3 id={id}>{title}</h3>
          <p>{summary}</p>
        </div>
        <Button
          small
          look="quiet"
          icon={asTable ? <ChartColumn size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? 'Chart' : 'Table'}
          <span className="unseen"> instead</span>
        </Button>
      </figcaption>
      {asTable ? <Numbers title={title} table={table} /> : children}
      {legend === undefined || asTable ? null : (
        <ul className={styles['legend']}>
          {legend.map(({ text, color }) => (
            <li key={text}>
              <span style={{ background: color }} aria-hidden />
              {text}
            </li>
          ))}
        </ul>
      )}
    </figure>
  )
}

function Numbers({ title, table }: { readonly title: string; readonly table: ChartTable }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles['numbers']} tabIndex={0} aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={row.join('|')}>
              {row.map((cell, at) => (
                <td key={table.columns[at]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
