import { type ReactNode, useId, useState } from 'react'
import { Button } from '../../design/button.tsx'
import parts from '../parts/parts.module.css'

const LARGEST = 64 * 1_024
const KINDS = ['image/png', 'image/jpeg', 'image/webp']

/** A picture of at most 64 KiB, kept as a data URL. */
export function LogoField({ logo, onChange }: { readonly logo: string | null; readonly onChange: (logo: string | null) => void }): ReactNode {
  const id = useId()
  const [problem, setProblem] = useState<string | null>(null)
  const take = (file: File | undefined): void => {
    if (file === undefined) return
    if (!KINDS.includes(file.type)) return setProblem('Choose a PNG, JPEG or WebP picture.')
    if (file.size > LARGEST) return setProblem(`The picture has ${Math.ceil(file.size / 1_024)} KiB; 64 are taken.`)
    setProblem(null)
    const reader = new FileReader()
    reader.onload = () => onChange(String(reader.result))
    reader.readAsDataURL(file)
  }
  return (
    <div className={parts['file']}>
      <label htmlFor={id}>Logo</label>
      <div className={parts['actions']}>
        <input id={id} type="file" accept={KINDS.join(',')} aria-describedby={`${id}-hint`} onChange={(event) => take(event.target.files?.[0])} />
        {logo === null ? null : (
          <Button small onClick={() => onChange(null)}>
            Take the logo away
          </Button>
        )}
      </div>
      <p id={`${id}-hint`} className={problem === null ? parts['soft'] : parts['wrong']} role={problem === null ? undefined : 'alert'}>
        {problem ?? 'PNG, JPEG or WebP, at most 64 KiB.'}
      </p>
    </div>
  )
}
