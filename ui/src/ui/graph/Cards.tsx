import { Handle, type NodeProps, Position, useStore } from "@xyflow/react";
import { createContext, memo, type ReactNode, useContext, useId } from "react";

import { useLight } from "./spotlight";
import type { GraphProps } from "./types";

/** Smaller than this a card can't be read: it is drawn as a plain box, which a browser can do a thousand times. */
const READABLE = 0.3;

export interface CardProps extends Pick<GraphProps, "nameOf" | "colorOf"> {
  card: (key: string) => ReactNode;
}

export const Cards = createContext<CardProps>({ card: () => null, nameOf: () => "", colorOf: () => "none" });

/** The id for the part of a card that screen readers are told beside its name: whether it is selected, what is done. */
export const CardNote = createContext<string | undefined>(undefined);

const HIDDEN = { opacity: 0 };

export const solid = (palette: string) => `var(--chakra-colors-${palette}-solid)`;

/** A card. What it shows comes through the context, so that a change of one doesn't lay the graph out anew. */
export const CardNode = memo(function CardNode({ id }: NodeProps) {
  const { card, nameOf, colorOf } = useContext(Cards);
  const readable = useStore((flow) => flow.transform[2] >= READABLE);
  const lit = useLight((light) => light.ofCard(id));
  const note = useId();
  // React has no handler for a pointer on what isn't a control; keys are handled by the frame.
  return (
    <div
      data-card={id}
      data-lit={lit}
      className="card-frame"
      tabIndex={-1}
      role="group"
      aria-label={nameOf(id)}
      aria-describedby={note}
      style={readable ? undefined : { background: solid(colorOf(id)) }}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={HIDDEN} />
      {readable && <CardNote.Provider value={note}>{card(id)}</CardNote.Provider>}
      <Handle type="source" position={Position.Right} isConnectable={false} style={HIDDEN} />
    </div>
  );
});
