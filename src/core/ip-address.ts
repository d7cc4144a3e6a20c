// Is a text an IP address? As net.isIP() says, whose pattern for IPv6 takes V8 4 ms to compile: a tenth of a start.

/** Four decimal numbers, none of them with a zero before it. */
export function isIpv4(text: string): boolean {
  let number = none;
  let dots = 0;

  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === dot && number !== none && dots < 3) {
      dots += 1;
      number = none;
    } else if (isDigit(code) && number !== 0) {
      number = (number === none ? 0 : number * 10) + code - zero;
      if (number > 255) {
        return false;
      }
    } else {
      return false;
    }
  }

  return dots === 3 && number !== none;
}

/** RFC 4291 section 2.2. Without a zone (`%eth0`), which means nothing to another machine. */
export function isIpv6(text: string): boolean {
  let groups = 0; // of 16 bits, complete
  let digits = 0; // of the group under way
  let hasGap = false;
  const isWhole = (count: number) => (hasGap ? count < 8 : count === 8);

  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isHexDigit(code)) {
      digits += 1;
      if (digits > 4) {
        return false;
      }
    } else if (code === dot) {
      // The last two groups may be written as IPv4.
      return isIpv4(text.slice(index - digits)) && isWhole(groups + 2);
    } else if (code === colon && text.charCodeAt(index + 1) === colon && !hasGap) {
      hasGap = true;
      groups += digits > 0 ? 1 : 0;
      digits = 0;
      index += 1;
    } else if (code === colon && digits > 0 && index + 1 < text.length) {
      groups += 1;
      digits = 0;
    } else {
      return false;
    }
  }

  return isWhole(digits > 0 ? groups + 1 : groups);
}

/** Instead of a number of which no digit has come. */
const none = -1;
const zero = 0x30;
const dot = 0x2e;
const colon = 0x3a;

function isHexDigit(code: number): boolean {
  const lower = code | 0x20; // A to F become a to f; the digits stay.
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66);
}

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39;
}
