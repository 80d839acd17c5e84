import type { ReactNode } from 'react'
import type { Why } from '../api/console-operations.ts'
import { useApi } from '../api/queries.ts'
import { Card, Facts } from '../design/card.tsx'
import { Answered } from '../design/states.tsx'
import { Time } from '../time/time.tsx'
import styles from './connections.module.css'

/** "Why is it in this state?": what the provider said, how we read it, which rule matched, what is next. */
export function WhyCard({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/connections/{id}/why', { path: { id } })
  return (
    <Card title="Why is it in this state?">
      <Answered query={query} rows={4}>
        {(why) => <Reasons why={why} />}
      </Answered>
    </Card>
  )
}

function Reasons({ why }: { readonly why: Why }): ReactNode {
  const { sentence, steps, rule, evidence, next, retries } = why
  return (
    <>
      <p className={styles['sentence']}>{sentence}</p>
      <ol className={styles['steps']}>
        {steps.map((step) => (
          <li key={`${step.at} ${step.what}`}>
            <span>{step.what}</span>
            {step.detail === null ? null : <span className={styles['small']}>{step.detail}</span>}
            {step.at === null ? null : (
              <span className={styles['small']}>
                <Time at={step.at} />
              </span>
            )}
          </li>
        ))}
      </ol>
      <Facts
        rows={[
          rule === null ? null : ['Our reading', String(rule['operator_text'] ?? rule['code'])],
          rule === null ? null : ['Rule', <code key="rule">{[rule['code'], rule['class'], rule['blame']].filter(Boolean).join(' · ')}</code>],
          next === null
            ? null
            : [
                'Next',
                <span key="next">
                  {next.at === null ? (
                    next.what
                  ) : (
                    <>
                      {next.what.replace(/\.$/, '')} <Time at={next.at} />
                    </>
                  )}
                </span>,
              ],
          retries.length === 0
            ? null
            : [
                'Tries',
                <span key="tries">
                  {retries[0]?.failures} failed since <Time at={retries[0]?.since} none="the last success" />, the next{' '}
                  <Time at={retries[0]?.at} none="not planned" past="due" />
                </span>,
              ],
        ]}
      />
      {evidence === null ? null : <Evidence evidence={evidence} />}
    </>
  )
}

/** What the provider answered, without anything secret. */
function Evidence({ evidence }: { readonly evidence: NonNullable<Why['evidence']> }): ReactNode {
  const rows = Object.entries(evidence).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : [[name.replaceAll('_', ' '), <code key={name}>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</code>] as const],
  )
  if (rows.length === 0) return null
  return (
    <details>
      <summary>What the provider said</summary>
      <Facts rows={rows} />
    </details>
  )
}
