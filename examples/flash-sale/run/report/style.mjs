export const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; color: #1c2430; background: #fff }
svg { display: block; width: 100%; margin: 1.5rem 0 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: 2px 12px 2px 0; border-bottom: 1px solid #e3e7ec }
.good { color: #17733a } .bad { color: #b3261e; font-weight: 600 }
.title { font-weight: 600; font-size: 14px; fill: #1c2430 }
.tick { font-size: 11px; fill: #5b6675 } .grid { stroke: #e8ebef }
.fault rect { fill: #f6c6a8; opacity: .45 } .mark { font-size: 11px; fill: #9a4a12; font-weight: 600 }
.line { stroke-width: 2 } .line.accepted { stroke: #1f7a4d } .line.stock { stroke: #7b8794; stroke-dasharray: 4 3 }
.bar.kaccepted { fill: #1f7a4d } .bar.k409 { fill: #5b8def } .bar.k429 { fill: #c3cfe6 } .bar.k503 { fill: #d9822b } .bar.kother { fill: #b3261e } .key.kaccepted { fill: #1f7a4d } .key.k409 { fill: #5b8def } .key.k429 { fill: #c3cfe6 } .key.k503 { fill: #d9822b } .key.kother { fill: #b3261e }
.wait { fill: #1f7a4d; opacity: .7 } .wait.degraded { fill: #d9822b }
`
