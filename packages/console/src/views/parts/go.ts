import { useNavigate } from '@tanstack/react-router'

/** Goes to another page of the console: `/agents/agt_1`. */
export function useGo(): (to: string, search?: object) => void {
  const navigate = useNavigate()
  return (to, search) => void navigate({ to: to as never, ...(search === undefined ? {} : { search: search as never }) })
}
