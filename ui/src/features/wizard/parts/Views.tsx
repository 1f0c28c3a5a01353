import { SegmentGroup } from "@chakra-ui/react";

interface ViewsProps<View extends string> {
  label: string;
  value: View;
  views: readonly { value: View; label: string }[];
  onChange: (view: View) => void;
}

/** Switches between two views of the same thing. */
export function Views<View extends string>({ label, value, views, onChange }: ViewsProps<View>) {
  return (
    <SegmentGroup.Root
      size="sm"
      value={value}
      aria-label={label}
      onValueChange={(change) => onChange(change.value as View)}
    >
      {views.map((view) => (
        <SegmentGroup.Item
          key={view.value}
          value={view.value}
          borderRadius="sm"
          _checked={{ bg: "brand.solid", color: "brand.contrast" }}
        >
          <SegmentGroup.ItemText>{view.label}</SegmentGroup.ItemText>
          <SegmentGroup.ItemHiddenInput />
        </SegmentGroup.Item>
      ))}
    </SegmentGroup.Root>
  );
}
