// What the server offers by now: what is not there is not shown.

export const OFFERED = {
  faultDeeds: false,
  faultHistory: false,
  readings: false,
  notes: false,
  orders: false,
  admin: false,
};
