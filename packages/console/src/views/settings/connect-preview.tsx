import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Card } from '../../design/card.tsx'
import { Segments } from '../../design/field.tsx'
import type { OrganizationSettings } from '../operate-operations.ts'
import styles from './preview.module.css'

const COLOR = /^#[0-9a-f]{6}$/i

/** The landing page of a connect flow as an end user would see it, in the same words. */
export function ConnectPreview({ draft, organization }: { readonly draft: OrganizationSettings; readonly organization: string }): ReactNode {
  const [theme, setTheme] = useState('light')
  const page = useRef<HTMLDivElement>(null)
  const name = draft.application_name?.trim() || organization
  const accent = draft.accent !== null && COLOR.test(draft.accent) ? draft.accent : null
  useEffect(() => {
    if (accent === null) page.current?.style.removeProperty('--brand')
    else page.current?.style.setProperty('--brand', accent)
  }, [accent])
  return (
    <Card
      title="Preview"
      flush
      actions={
        <Segments
          label="Theme of the preview"
          value={theme}
          choices={[
            { value: 'light', text: 'Light' },
            { value: 'dark', text: 'Dark' },
          ]}
          onChange={setTheme}
        />
      }
    >
      <div ref={page} className={styles['page']} data-look={theme}>
        <div className={styles['sheet']}>
          {draft.status_text?.trim() ? <p className={styles['status']}>{draft.status_text}</p> : null}
          <div className={styles['brand']}>
            {draft.logo === null ? null : <img src={draft.logo} alt="" className={styles['logo']} />}
            <span>{name}</span>
          </div>
          <p className={styles['title']}>Connect your Google account</p>
          <p>{name} asks for access to your account. You decide at Google what it may see, and can take it back at any time.</p>
          <p className={styles['button']} aria-hidden>
            Continue to Google
          </p>
          <p className={styles['foot']}>
            {draft.support_email?.trim() || draft.support_url?.trim() ? <span>Help</span> : null}
            {draft.privacy_url?.trim() ? <span>Privacy</span> : null}
          </p>
        </div>
      </div>
    </Card>
  )
}
