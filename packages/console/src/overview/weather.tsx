import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Weather } from '../api/console-operations.ts'
import { Card } from '../design/card.tsx'
import { Sparkline } from '../design/charts/sparkline.tsx'
import { Badge } from '../design/state.tsx'
import { To } from '../router/link.tsx'
import { Time } from '../time/time.tsx'
import { countWords, numberWords } from '../time/words.ts'
import styles from './overview.module.css'

const ROUGH = 0.02

/** How each provider does: is it us, or them? */
export function WeatherTable({ weather }: { readonly weather: readonly Weather[] }): ReactNode {
  if (weather.length === 0) return null
  return (
    <Card title="Provider weather" note="requests to token endpoints, last 24 hours" flush>
      <ul className={styles['weather']}>
        {weather.map((one) => (
          <OneProvider key={one.provider} one={one} />
        ))}
      </ul>
    </Card>
  )
}

/** One that failed among thousands is not none. */
const shareWords = (ratio: number): string => (ratio > 0 && ratio < 0.0005 ? '< 0.1 %' : `${(ratio * 100).toFixed(ratio < 0.1 && ratio > 0 ? 1 : 0)} %`)

function OneProvider({ one }: { readonly one: Weather }): ReactNode {
  const { provider, name, requests, failures, breaker, open_since: since, spark } = one
  const ratio = requests === 0 ? 0 : failures / requests
  const color = breaker === 'open' || ratio > ROUGH ? 'var(--chart-4)' : 'var(--chart-2)'
  const said = requests === 0 ? 'nothing asked' : `${shareWords(ratio)} failed`
  return (
    <li>
      <To to={`/providers`} search={{ provider }} className={styles['provider']}>
        {name}
      </To>
      <span className={styles['state']}>
        {breaker === 'open' ? (
          <Badge tone="bad" icon={CircleX}>
            Resting
          </Badge>
        ) : ratio > ROUGH ? (
          <Badge tone="warn" icon={TriangleAlert}>
            Rough
          </Badge>
        ) : (
          <Badge tone="good" icon={CircleCheck}>
            Fine
          </Badge>
        )}
      </span>
      <span className={styles['spark']}>
        <Sparkline values={spark} color={color} top={1} label={`Share of the requests to ${name} that went well, by the hour`} />
      </span>
      <To to="/events" search={{ q: `type:connection.refresh_failed provider:${provider}` }} className={styles['figures']}>
        {said}
        <span className={styles['small']}>
          {since === null ? (
            countWords(requests, 'request')
          ) : (
            <>
              {numberWords(failures)} failed, resting since <Time at={since} />
            </>
          )}
        </span>
      </To>
    </li>
  )
}
