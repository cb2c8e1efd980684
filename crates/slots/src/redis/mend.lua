-- Corrects seats that an audit found wrong: ARGV[3] holds index, expected and new mark of each, two bytes each. Only
-- under token ARGV[1]; and none becomes TAKEN if anything was freed since the count of releases was ARGV[2].
-- Answers how many of the first ARGV[4] of them were still as expected, and how many of these were corrected.

local day = known_day()
if not is_ready(day, ARGV[1]) then return char(0, 0, 0, 0) end
local nothing_was_freed = sub(day, RELEASES_AT, RELEASES_AT + 3) == ARGV[2]
local corrections, counted = ARGV[3], tonumber(ARGV[4])
local found, corrected = 0, 0
for from = 1, #corrections, 6 do
  local at = seat_at(day, number(corrections, from))
  local mark = sub(corrections, from + 4, from + 5)
  if sub(day, at, at + 1) == sub(corrections, from + 2, from + 3) then
    local one = from <= counted * 6 and 1 or 0
    found = found + one
    if mark ~= TAKEN or nothing_was_freed then
      put(at, mark)
      corrected = corrected + one
    end
  end
end
return struct.pack('>I2>I2', found, corrected)
