import { ViewportPortal } from "@xyflow/react";
import { memo } from "react";

import type { PlacedLabel } from "./layout";
import { useLight } from "./spotlight";

/** With more labels than this, only those on the lines of the current card are shown. */
const QUIET = 80;

/** What stands on the lines. Screen readers are told it with each line. */
export const Labels = memo(function Labels({ labels }: { labels: readonly PlacedLabel[] }) {
  const current = useLight((light) => light.key);
  const shown = labels.length <= QUIET ? labels : labels.filter(({ edges }) => edges.some(touches(current)));
  return (
    <ViewportPortal>
      <div aria-hidden="true">
        {shown.map((label) => (
          <Text key={`${label.node}\n${label.after}\n${label.text}`} label={label} />
        ))}
      </div>
    </ViewportPortal>
  );
});

const touches = (key: string | null) => (edge: { from: string; to: string }) => edge.from === key || edge.to === key;

function Text({ label: { edges, text, x, y, width } }: { label: PlacedLabel }) {
  const lit = useLight((light) => {
    const states = edges.map(light.ofLine);
    return states.includes("lit") ? "lit" : states[0];
  });
  return (
    <div
      className="link-label"
      data-lit={lit}
      style={{ transform: `translate(${x}px, ${y}px) translateY(-50%)`, width }}
    >
      {text}
    </div>
  );
}
