// Postgres gives bigint as text. Tokens and row numbers stay below 2^53, so that they can be numbers here.

export const asNumber = {
  to: (value: number | null | undefined) => value,
  from: (text: string | null) => (text === null ? null : Number(text)),
}
