import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  MiniMap,
  type Node,
  Position,
  ReactFlow,
  type Viewport,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { type ReactNode, useCallback, useMemo } from "react";

import { usePreferences } from "../../host/Host";
import { useWords } from "../../i18n/words";
import { CardNode, type CardProps, Cards, solid } from "./Cards";
import type { DrawnEdge } from "./folding";
import { Labels } from "./Labels";
import type { LaidOut, Size } from "./layout";
import { pathOf } from "./lines";
import { type LinkData, LinkEdge } from "./LinkEdge";
import type { GraphMemory } from "./memory";
import { type Frame, useFirstView } from "./viewport";

const MINI_MAP = { width: 120, height: 80 };
/** React Flow takes the pointer from nodes that it doesn't move or select itself. */
const TOUCHABLE = { pointerEvents: "all" } as const;
const NODE_TYPES = { card: CardNode };
const EDGE_TYPES = { link: LinkEdge };

interface DrawingProps extends CardProps {
  size: Size;
  laidOut: LaidOut;
  frame: Frame;
  memory: GraphMemory | undefined;
  /** What a line says. */
  titleOf: (line: DrawnEdge) => string;
  children: ReactNode;
}

/** React Flow's own texts for who can't see it, which would be English. */
function useSpoken() {
  const { t } = useWords();
  return useMemo(
    () => ({
      "node.a11yDescription.default": t("graph.card"),
      "node.a11yDescription.keyboardDisabled": t("graph.card"),
      "edge.a11yDescription.default": t("graph.line"),
      "controls.zoomIn.ariaLabel": t("graph.zoomIn"),
      "controls.zoomOut.ariaLabel": t("graph.zoomOut"),
      "controls.fitView.ariaLabel": t("graph.fitView"),
    }),
    [t],
  );
}

/** What React Flow draws. */
export function Drawing({ size, card, nameOf, colorOf, laidOut, frame, memory, titleOf, children }: DrawingProps) {
  const { dark } = usePreferences();
  const { t } = useWords();
  const spoken = useSpoken();
  const [node, line] = [t("graph.card"), t("graph.line")];
  const flowNodes = useMemo(() => flowNodesOf(laidOut, size, node), [laidOut, size, node]);
  const flowEdges = useMemo(() => flowEdgesOf(laidOut, line, titleOf), [laidOut, line, titleOf]);
  const cards = useMemo(() => ({ card, nameOf, colorOf }), [card, nameOf, colorOf]);
  const onInit = useFirstView(laidOut, size, frame, memory);
  const onMoveEnd = useCallback((_: unknown, viewport: Viewport) => memory?.see(viewport), [memory]);
  const miniColor = useCallback(({ id }: Node) => solid(colorOf(id)), [colorOf]);
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
        ariaLabelConfig={spoken}
        onInit={onInit}
        onMoveEnd={onMoveEnd}
        minZoom={0.03}
        maxZoom={1.5}
      >
        <Background />
        <Labels labels={laidOut.labels} />
        <Controls showInteractive={false} aria-label={t("graph.controls")} />
        <MiniMap pannable zoomable style={MINI_MAP} ariaLabel={t("graph.miniMap")} nodeColor={miniColor} />
        {children}
      </ReactFlow>
    </Cards.Provider>
  );
}

function flowNodesOf({ positions }: LaidOut, size: Size, what: string): Node[] {
  const handles: Node["handles"] = [
    { type: "target", position: Position.Left, x: 0, y: size.height / 2 },
    { type: "source", position: Position.Right, x: size.width, y: size.height / 2 },
  ];
  return Array.from(positions, ([id, position]) => ({
    id,
    type: "card",
    position,
    data: {},
    style: TOUCHABLE,
    ...size,
    measured: size,
    handles,
    domAttributes: { "aria-roledescription": what },
  }));
}

function flowEdgesOf({ lines }: LaidOut, what: string, titleOf: (line: DrawnEdge) => string): Edge<LinkData>[] {
  return Array.from(lines, ([line, pieces]) => {
    const title = titleOf(line as DrawnEdge);
    return {
      id: `${line.from}\n${line.to}`,
      type: "link",
      source: line.from,
      target: line.to,
      data: { line, title, path: pathOf(pieces) },
      ariaLabel: title,
      domAttributes: { "aria-roledescription": what },
      markerEnd: { type: MarkerType.ArrowClosed },
      style: line.unsure ? { strokeDasharray: "6 4" } : undefined,
    };
  });
}
