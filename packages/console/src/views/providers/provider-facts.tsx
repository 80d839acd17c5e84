import type { ReactNode } from 'react'
import { Card, Facts } from '../../design/card.tsx'
import { Badge } from '../../design/state.tsx'
import { Time } from '../../time/time.tsx'
import { durationWords } from '../../time/words.ts'
import parts from '../parts/parts.module.css'
import { grantWords, lifetimeRows, type Provider, reuseWords } from './provider-words.ts'
import styles from './providers.module.css'

/** What the catalogue knows of a provider, and what that means for its connections. */
export function ProviderFacts({ provider }: { readonly provider: Provider }): ReactNode {
  return (
    <div className={parts['stack']}>
      <Card title={`How ${provider.name} behaves`}>
        <Facts
          rows={[
            ['Grant', grantWords(provider.grant)],
            ...lifetimeRows(provider),
            ['Rotation', provider.rotation],
            ['A token shown twice', reuseWords(provider.reuse)],
            ['PKCE', provider.pkce],
            [
              'Can be tested',
              provider.can_check
                ? provider.check_every_seconds === null
                  ? 'yes'
                  : `yes, and the provider demands it every ${durationWords(provider.check_every_seconds * 1_000)}`
                : 'no call is known that proves a token',
            ],
            ['Ends at the provider', provider.can_revoke ? 'Disconnecting revokes the grant there, too' : 'The provider has no way to be told'],
            provider.pushes.length === 0 ? null : ['Tells us of', provider.pushes.join(', ')],
          ]}
        />
      </Card>
      <Quirks provider={provider} />
      <Drift provider={provider} />
    </div>
  )
}

function Quirks({ provider: { notes, unverified, sunsets, sources } }: { readonly provider: Provider }): ReactNode {
  if (notes.length + unverified.length + sunsets.length + sources.length === 0) return null
  return (
    <Card title="Worth knowing">
      <div className={parts['form']}>
        <ul className={styles['notes']}>
          {sunsets.map(({ what, on, instead }) => (
            <li key={what}>
              <Badge tone="warn">ends {on}</Badge> {what}. {instead}
            </li>
          ))}
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
        {unverified.length === 0 ? null : (
          <details>
            <summary>Not verified ({unverified.length})</summary>
            <ul className={styles['notes']}>
              {unverified.map((what) => (
                <li key={what}>{what}</li>
              ))}
            </ul>
          </details>
        )}
        {sources.length === 0 ? null : (
          <details>
            <summary>Sources ({sources.length})</summary>
            <ul className={styles['notes']}>
              {sources.map((source) => (
                <li key={source}>
                  {source.startsWith('https://') ? (
                    <a href={source} target="_blank" rel="noreferrer">
                      {source}
                    </a>
                  ) : (
                    source
                  )}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </Card>
  )
}

/** Where live answers differ from the documented ones. */
function Drift({ provider: { drift } }: { readonly provider: Provider }): ReactNode {
  if (drift.length === 0) return null
  return (
    <Card title="Answers that changed" note="Keys and types, never values.">
      <ul className={styles['notes']}>
        {drift.map(({ at, step, missing, changed, added }) => (
          <li key={`${at}${step}`}>
            <Time at={at} />, {step}:{' '}
            {[
              ...missing.map((key) => `${key} is gone`),
              ...changed.map(({ path, expected, found }) => `${path} was ${expected.join(' or ')}, is ${found.join(' or ')}`),
              ...added.map((key) => `${key} is new`),
            ].join('; ')}
          </li>
        ))}
      </ul>
    </Card>
  )
}
