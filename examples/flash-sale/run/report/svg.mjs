// SVG as text. Everything that is put in is escaped.

export function element(name, attributes = {}, ...children) {
  const words = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return `<${name}${words.join('')}>${children.flat(9).join('')}</${name}>`
}

export function escaped(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

export const text = (attributes, words) => element('text', attributes, escaped(words))
