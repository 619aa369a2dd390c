// Numbers as people read them.

/** Small ratios need the third decimal: 0.143 is an aim. */
export function times(ratio) {
  return `${ratio.toFixed(ratio < 1 ? 3 : 2)} x`
}

export function thousands(value) {
  return Math.round(value).toLocaleString('en-US')
}
