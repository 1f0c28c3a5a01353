import { Box } from "@chakra-ui/react";
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  MiniMap,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import {
  createContext,
  type FocusEvent,
  memo,
  type MouseEvent,
  useCallback,
  useContext,
  useId,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";

import { usePreferences } from "../../host/Host";
import { useWords } from "../../i18n/words";
import { type LaidOut, layout, type Size } from "./layout";
import { Current, CurrentCard, type LinkData, LinkEdge } from "./LinkEdge";
import { useFirstView, useFocus, useKeys } from "./keyboard";
import type { GraphProps, LabelledEdge } from "./types";

/** With more edges than this, what they are stands only on those of the current card. */
const LABELS = 150;

/** Smaller than this a card can't be read: it is drawn as a plain box, which a browser can do a thousand times. */
const READABLE = 0.3;

type CardProps = Pick<GraphProps, "card" | "nameOf" | "colorOf">;

const Cards = createContext<CardProps>({ card: () => null, nameOf: () => "", colorOf: () => "none" });

/** A card. What it shows comes through the context, so that a change of one doesn't lay the graph out anew. */
const CardNode = memo(function CardNode({ id }: NodeProps) {
  const { card, nameOf, colorOf } = useContext(Cards);
  const readable = useStore((flow) => flow.transform[2] >= READABLE);
  // React has no handler for a pointer on what isn't a control; keys are handled by the frame.
  return (
    <div
      data-card={id}
      className="card-frame"
      tabIndex={-1}
      role="group"
      aria-label={nameOf(id)}
      style={readable ? undefined : { background: solid(colorOf(id)) }}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={HIDDEN} />
      {readable && card(id)}
      <Handle type="source" position={Position.Right} isConnectable={false} style={HIDDEN} />
    </div>
  );
});

const MINI_MAP = { width: 120, height: 80 };
/** React Flow takes the pointer from nodes that it doesn't move or select itself. */
const TOUCHABLE = { pointerEvents: "all" } as const;
const HIDDEN = { opacity: 0 };
const NODE_TYPES = { card: CardNode };
const EDGE_TYPES = { link: LinkEdge };

/** React Flow's own colours are not Airflow's. */
const LOOK = {
  "& .react-flow": {
    "--xy-background-color": "var(--chakra-colors-bg)",
    "--xy-background-pattern-color": "var(--chakra-colors-border)",
    "--xy-edge-stroke": "var(--chakra-colors-gray-400)",
    "--xy-edge-label-color": "var(--chakra-colors-fg)",
    "--xy-edge-label-background-color": "var(--chakra-colors-bg)",
    "--xy-controls-button-background-color": "var(--chakra-colors-bg-panel)",
    "--xy-controls-button-background-color-hover": "var(--chakra-colors-bg-muted)",
    "--xy-controls-button-color": "var(--chakra-colors-fg)",
    "--xy-controls-button-color-hover": "var(--chakra-colors-fg)",
    "--xy-controls-button-border-color": "var(--chakra-colors-border)",
    "--xy-minimap-background-color": "var(--chakra-colors-bg-subtle)",
  },
  "& .react-flow__edge-text": { fontSize: "11px" },
  "& .card-frame": { width: "100%", height: "100%", borderRadius: "md", cursor: "pointer" },
  "& .card-frame:focus": { outline: "2px solid", outlineColor: "brand.focusRing", outlineOffset: "2px" },
};

const solid = (palette: string) => `var(--chakra-colors-${palette}-solid)`;

/** Runs as cards and links as lines, to move about in by mouse and by arrow keys. */
export function Graph(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas(props: GraphProps) {
  const { ref, nodes, edges, size, onCurrent } = props;
  const { t } = useWords();
  const keys = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [current] = useState(() => new Current());
  const laidOut = useMemo(() => layout(nodes, edges, size), [nodes, edges, size]);
  const focus = useFocus(laidOut, size, frame);
  useImperativeHandle(ref, () => ({ focus }), [focus]);
  const onKeyDown = useKeys(props, laidOut, focus);
  const onFocus = (event: FocusEvent) => {
    const key = cardOf(event.target);
    if (key !== undefined) {
      current.set(key);
      if (event.target instanceof HTMLElement && event.target.dataset.card === key) {
        onCurrent?.(key); // who ticks a box on a card doesn't ask to see more of it
      }
    }
  };
  return (
    <Box
      ref={frame}
      role="application"
      aria-label={props.label}
      aria-describedby={keys}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
      onClick={focusCard}
      flex="1"
      minHeight="14rem"
      height="100%"
      borderWidth="1px"
      borderRadius="md"
      overflow="hidden"
      css={LOOK}
      data-testid="graph"
    >
      <Box id={keys} srOnly>
        {props.keysHint ?? t("graph.keys")}
      </Box>
      <CurrentCard.Provider value={current}>
        <Drawing {...props} laidOut={laidOut} frame={frame} />
      </CurrentCard.Provider>
    </Box>
  );
}

interface DrawingProps extends GraphProps {
  laidOut: LaidOut;
  frame: React.RefObject<HTMLDivElement | null>;
}

/** What React Flow draws. */
function Drawing({ nodes, edges, size, card, nameOf, colorOf, laidOut, frame }: DrawingProps) {
  const { dark } = usePreferences();
  const { t } = useWords();
  const flowNodes = useMemo(() => flowNodesOf(nodes, laidOut, size), [nodes, laidOut, size]);
  const flowEdges = useMemo(() => flowEdgesOf(nodes, edges), [nodes, edges]);
  const cards = useMemo(() => ({ card, nameOf, colorOf }), [card, nameOf, colorOf]);
  const onInit = useFirstView(laidOut, size, frame);
  const miniColor = useCallback((node: Node) => solid(colorOf(node.id)), [colorOf]);
  return (
    <Cards.Provider value={cards}>
      <ReactFlow
        nodes={flowNodes}
        edges={flowEdges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={dark ? "dark" : "light"}
        onlyRenderVisibleElements
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        onInit={onInit}
        minZoom={0.03}
        maxZoom={1.5}
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        <Controls showInteractive={false} aria-label={t("graph.controls")} />
        <MiniMap pannable zoomable style={MINI_MAP} ariaLabel={t("graph.miniMap")} nodeColor={miniColor} />
      </ReactFlow>
    </Cards.Provider>
  );
}

function cardOf(target: EventTarget): string | undefined {
  return (target as HTMLElement).closest<HTMLElement>("[data-card]")?.dataset.card;
}

/** A pointer on a card gives it the focus, unless it meant a control on the card. */
function focusCard(event: MouseEvent) {
  const target = event.target as HTMLElement;
  if (target.closest("input, button, a, label") === null) {
    target.closest<HTMLElement>("[data-card]")?.focus({ preventScroll: true });
  }
}

function flowNodesOf(nodes: readonly string[], { positions }: LaidOut, size: Size): Node[] {
  return nodes.map((id) => ({
    id,
    type: "card",
    position: positions.get(id) ?? { x: 0, y: 0 },
    data: {},
    style: TOUCHABLE,
    ...size,
    measured: size,
    handles: [
      { type: "target", position: Position.Left, x: 0, y: size.height / 2 },
      { type: "source", position: Position.Right, x: size.width, y: size.height / 2 },
    ],
  }));
}

function flowEdgesOf(nodes: readonly string[], edges: readonly LabelledEdge[]): Edge<LinkData>[] {
  const inside = new Set(nodes);
  const drawn = edges.filter(({ from, to }) => inside.has(from) && inside.has(to));
  const quiet = drawn.length > LABELS;
  return drawn.map(({ from, to, label, title, unsure }, index) => ({
    id: `${index}`,
    type: "link",
    source: from,
    target: to,
    data: { label, title, quiet },
    markerEnd: { type: MarkerType.ArrowClosed },
    style: unsure ? { strokeDasharray: "6 4" } : undefined,
  }));
}
