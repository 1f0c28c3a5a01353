import { chakra } from "@chakra-ui/react";
import { type ComponentProps, useEffect, useRef } from "react";

const HOOK = "polygon(14% 44%, 0 65%, 50% 100%, 100% 16%, 80% 0%, 43% 62%)";

const Box = chakra("input", {
  base: {
    appearance: "none",
    display: "inline-grid",
    placeItems: "center",
    flexShrink: 0,
    width: 4,
    height: 4,
    margin: 0,
    borderWidth: "1px",
    borderColor: "fg.muted",
    borderRadius: "sm",
    cursor: "pointer",
    bg: "bg",
    verticalAlign: "middle",
    _before: { content: '""', width: "10px", height: "10px", bg: "transparent", clipPath: HOOK },
    "&:checked, &:indeterminate": { bg: "brand.solid", borderColor: "brand.solid" },
    "&:checked::before": { bg: "brand.contrast" },
    "&:indeterminate::before": { bg: "brand.contrast", clipPath: "inset(40% 10%)" },
    "&:disabled": { cursor: "not-allowed", opacity: 0.5, bg: "bg.muted" },
    "&:checked:disabled": { bg: "fg.muted", borderColor: "fg.muted" },
  },
});

interface TickProps extends Omit<ComponentProps<typeof Box>, "checked" | "onChange" | "type"> {
  label: string;
  checked: boolean;
  /** Some of what it stands for is chosen. */
  partly?: boolean;
  onTick: (checked: boolean) => void;
}

/** A checkbox that is light enough for thousands of rows and cards: the browser's own, in Airflow's colours. */
export function Tick({ label, checked, partly = false, onTick, ...rest }: TickProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) {
      input.current.indeterminate = partly && !checked;
    }
  }, [partly, checked]);
  return (
    <Box
      ref={input}
      type="checkbox"
      aria-label={label}
      checked={checked}
      onChange={(event) => onTick(event.target.checked)}
      {...rest}
    />
  );
}
