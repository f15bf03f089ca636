export const constructed = () => {
  throw new Error('todo');
};
