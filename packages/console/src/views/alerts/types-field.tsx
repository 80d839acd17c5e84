import type { ReactNode } from 'react'
import { Button } from '../../design/button.tsx'
import { TextField } from '../../design/field.tsx'
import parts from '../parts/parts.module.css'
import { TYPES } from './alert-words.ts'

export const typesIn = (text: string): readonly string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))]

/** Which events a webhook hears of: typed, or taken from what is usual. */
export function TypesField({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }): ReactNode {
  const chosen = typesIn(value)
  return (
    <div className={parts['form']}>
      <TextField
        label="Hears of"
        multiline
        value={value}
        hint={
          <>
            Event types, <code>connection.*</code>, or <code>*</code>. Empty: what an application needs to keep its own people informed.
          </>
        }
        onChange={onChange}
      />
      <div className={parts['words']}>
        {TYPES.filter((type) => !chosen.includes(type)).map((type) => (
          <Button key={type} small look="quiet" onClick={() => onChange([...chosen, type].join(' '))}>
            + {type}
          </Button>
        ))}
      </div>
    </div>
  )
}
