import { Box } from "@chakra-ui/react";
import { ReactFlowProvider } from "@xyflow/react";
import {
  type FocusEvent,
  type MouseEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useId,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";
import { flushSync } from "react-dom";

import { useWords } from "../../i18n/words";
import { Drawing } from "./Drawing";
import type { DrawnEdge } from "./folding";
import { GroupBar } from "./GroupBar";
import { counted, GroupCard, useGroupName } from "./GroupCard";
import { useFocus, useKeys } from "./keyboard";
import { layout } from "./layout";
import { LOOK } from "./look";
import { isOn, leadsAlong, wayOf } from "./path";
import { Light, type Lit, Spotlight } from "./spotlight";
import type { GraphProps } from "./types";
import { type FoldingState, useFolding } from "./useFolding";
import { useSteady } from "./viewport";

/**
 * Runs as cards and links as lines, to move about in by mouse and by arrow keys. The way of the run that has the pointer
 * or the focus lights up. Large levels are folded into groups that open.
 */
export function Graph(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas(props: GraphProps) {
  const { ref, size, groups, memory } = props;
  const { t } = useWords();
  const keys = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [light] = useState(() => new Spotlight());
  const folding = useFolding(props);
  const { shown, reveal } = folding;
  const laidOut = useMemo(() => layout(shown.shown, shown.lines, size, shown.level), [shown, size]);
  const focus = useFocus(laidOut, size, frame);
  const current = useRef(focus);
  useEffect(() => {
    current.current = focus;
  });
  useSteady(
    useMemo(() => ({ laidOut, shown }), [laidOut, shown]),
    size,
    frame,
    light,
    focus,
  );
  useEffect(() => light.light((key) => litBy(key, folding)), [light, folding]);
  useImperativeHandle(
    ref,
    () => ({
      focus: (key) => {
        if (shown.holder.get(key) !== key) {
          flushSync(() => reveal(key)); // what is folded away has no place yet
        }
        current.current(key);
      },
    }),
    [shown, reveal],
  );
  const enter = () => focus(light.focused ?? laidOut.columns[0]?.[0] ?? "");
  const onKeyDown = useKeys(props, folding, laidOut, { focus, enter });
  const entering = useEntering(props, folding, light, enter);
  return (
    <Box
      ref={frame}
      role="application"
      aria-label={props.label}
      aria-describedby={keys}
      onKeyDown={onKeyDown}
      onClick={focusCard}
      {...entering}
      position="relative"
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
        {props.keysHint ?? t("graph.keys")} {folding.large && t("graph.keysOfGroups")}
      </Box>
      <Light.Provider value={light}>
        {/* React Flow is as high as a part of the frame's height, which may be given by its contents' least height alone. */}
        <Box position="absolute" inset={0}>
          <Drawing {...useShown(props, folding)} size={size} laidOut={laidOut} frame={frame} memory={memory}>
            {groups && folding.large && <GroupBar folding={folding} groups={groups} />}
          </Drawing>
        </Box>
      </Light.Provider>
    </Box>
  );
}

/** What lights up around a card: its way along the runs' own links. */
function litBy(key: string, { shown, walks }: FoldingState): Lit | null {
  const inside = (card: string) => shown.groups.get(card)?.nodes ?? [card];
  if (!shown.shown.includes(key)) {
    return null;
  }
  const way = wayOf(inside(key), walks.before, walks.after);
  return {
    cards: new Set(shown.shown.filter((card) => isOn(way, inside(card)))),
    lines: new Set(shown.lines.filter(({ links }) => leadsAlong(way, links))),
  };
}

/** The cards and lines of runs and of groups. */
function useShown({ card, nameOf, colorOf, groups }: GraphProps, { shown, by, open }: FoldingState) {
  const { t } = useWords();
  const groupName = useGroupName(groups, by);
  const cards = useMemo(() => {
    const group = (key: string) => (groups ? shown.groups.get(key) : undefined);
    return {
      card: (key: string) => {
        const found = group(key);
        return found && groups ? <GroupCard group={found} by={by} groups={groups} open={open} /> : card(key);
      },
      nameOf: (key: string) => {
        const found = group(key);
        return found ? groupName(found).long : nameOf(key);
      },
      colorOf: (key: string) => {
        const found = group(key);
        return found && groups ? (counted(found, groups)[0]?.color ?? "none") : colorOf(key);
      },
    };
  }, [card, nameOf, colorOf, groups, groupName, shown, by, open]);
  const dagOf = groups?.dagOf;
  const titleOf = useCallback(
    ({ from, to, links }: DrawnEdge) => {
      const [only] = links;
      if (links.length === 1 && only?.title !== undefined) {
        return only.title;
      }
      const name = (key: string) => {
        const group = shown.groups.get(key);
        return group ? t("count.runs", { count: group.nodes.length }) : (dagOf?.(key) ?? key);
      };
      return t("graph.links", { from: name(from), to: name(to), count: links.length });
    },
    [shown, dagOf, t],
  );
  return { ...cards, titleOf };
}

/**
 * Tab leads to the card that had the focus last, or the first one, and with the next Tab out again. The frame itself has
 * the focus only until a card has it.
 */
function useEntering({ onCurrent }: GraphProps, { shown }: FoldingState, light: Spotlight, enter: () => void) {
  const [inside, setInside] = useState(false);
  const pointer = useRef(false);
  const onFocus = ({ target, currentTarget }: FocusEvent) => {
    const key = cardOf(target);
    if (key !== undefined) {
      light.focus(key);
      setInside(true);
      if ((target as HTMLElement).dataset.card === key && !shown.groups.has(key)) {
        onCurrent?.(key); // who ticks a box on a card doesn't ask to see more of it
      }
    } else if (target === currentTarget && !pointer.current) {
      enter();
    }
  };
  const onBlur = ({ relatedTarget, currentTarget }: FocusEvent) => {
    if (cardOf(relatedTarget) === undefined || !currentTarget.contains(relatedTarget)) {
      light.leave();
      setInside(false);
    }
  };
  return {
    tabIndex: inside ? -1 : 0,
    onFocus,
    onBlur,
    onPointerDownCapture: () => (pointer.current = true),
    onPointerUpCapture: () => (pointer.current = false),
    onPointerOver: ({ target }: PointerEvent) => light.hover(cardOf(target) ?? null),
    onPointerLeave: () => {
      pointer.current = false;
      light.hover(null);
    },
  };
}

function cardOf(target: EventTarget | null): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>("[data-card]")?.dataset.card : undefined;
}

/** A pointer on a card gives it the focus, unless it meant a control on the card. */
function focusCard(event: MouseEvent) {
  const target = event.target as HTMLElement;
  if (target.closest("input, button, a, label, select") === null) {
    target.closest<HTMLElement>("[data-card]")?.focus({ preventScroll: true });
  }
}
